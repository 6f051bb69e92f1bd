# Unsubscribe links for Strikeout, without dependencies. Python 3.8 or newer.
import base64, hashlib, hmac, os, re, sys, time

EMAIL = re.compile(r"(?=.{1,254}\Z)(?=[^@]{1,64}@)[a-z0-9.!#$%&'*+/=?^_`{|}~-]+@"
                   r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+(?![0-9]+\Z)[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\Z")
PHONE = re.compile(r"(?:\+|00)([1-9][0-9]{6,14})\Z")


def b64url(b):
    return base64.urlsafe_b64encode(b).rstrip(b"=").decode()


def normal(channel, address):
    """The one spelling that keys are made from. Plain ASCII only: libraries disagree about the rest."""
    s = address.strip(" \t\r\n\v\f")
    if channel == "email" and s.isascii() and EMAIL.match(s.lower()):
        return s.lower()
    phone = PHONE.match(re.sub(r"[ \t\r\n\v\f./()-]", "", s))
    if channel == "sms" and s.isascii() and "(0)" not in s and phone:
        return "+" + phone.group(1)
    raise ValueError("cannot name this address here: use POST /v1/links")


def sub(address_key, channel, address):
    text = channel + ":" + normal(channel, address)
    return b64url(hmac.new(address_key, text.encode(), hashlib.sha256).digest()[:16])


def token(key_id, secret, sub, channel, iat, send_out="", language=""):
    if not re.fullmatch(r"[A-Za-z0-9_.-]{0,32}", send_out) or not re.fullmatch(r"([A-Za-z0-9]{1,8}(-[A-Za-z0-9]{1,8})*)?", language):
        raise ValueError("send-out: up to 32 of A-Z a-z 0-9 _ . -; language: a tag such as fi or en-GB")
    claims = '{"sub":"%s","c":"%s","iat":%d' % (sub, "e" if channel == "email" else "s", iat)
    claims += ',"m":"%s"' % send_out if send_out else ""
    claims += ',"l":"%s"' % language if language else ""
    text = b64url(b'{"alg":"HS256","kid":"%s"}' % key_id.encode()) + "." + b64url((claims + "}").encode())
    return text + "." + b64url(hmac.new(secret, text.encode(), hashlib.sha256).digest())


# Lines of channel, time (empty: now), send-out, language and address, with tabs between; prints the link of each.
if __name__ == "__main__":
    address_key = base64.b64decode(os.environ["STRIKEOUT_ADDRESS_KEY"])
    secret = base64.b64decode(os.environ["STRIKEOUT_TOKEN_SECRET"])
    for line in sys.stdin.buffer.read().decode("utf-8").rstrip("\n").split("\n"):
        channel, iat, send_out, language, address = line.split("\t", 4)
        try:
            print(os.environ["STRIKEOUT_PUBLIC_URL"] + "/u/" + token(os.environ["STRIKEOUT_TOKEN_KEY_ID"], secret,
                  sub(address_key, channel, address), channel, int(iat or time.time()), send_out, language))
        except ValueError as e:
            print("error:", e)
