// Unsubscribe links for Strikeout, without dependencies. Node.js 16 or newer.
import { createHmac } from "node:crypto";
import { readFileSync, realpathSync } from "node:fs";
import { fileURLToPath } from "node:url";

const EMAIL = new RegExp("^(?=.{1,254}$)(?=[^@]{1,64}@)[a-z0-9.!#$%&'*+/=?^_`{|}~-]+@" +
  "(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\\.)+(?![0-9]+$)[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$");
const PHONE = /^(?:\+|00)([1-9][0-9]{6,14})$/;
const ASCII = /^[\x00-\x7f]*$/;

const hmac = (key, text) => createHmac("sha256", key).update(text).digest();

// The one spelling that keys are made from. Plain ASCII only: libraries disagree about the rest.
export function normal(channel, address) {
  const s = address.replace(/^[ \t\r\n\v\f]+|[ \t\r\n\v\f]+$/g, "");
  if (channel === "email" && ASCII.test(s) && EMAIL.test(s.toLowerCase())) return s.toLowerCase();
  const phone = PHONE.exec(s.replace(/[ \t\r\n\v\f./()-]/g, ""));
  if (channel === "sms" && ASCII.test(s) && !s.includes("(0)") && phone) return "+" + phone[1];
  throw new Error("cannot name this address here: use POST /v1/links");
}

export function sub(addressKey, channel, address) {
  return hmac(addressKey, channel + ":" + normal(channel, address)).subarray(0, 16).toString("base64url");
}

export function token(keyId, secret, sub, channel, iat, sendOut = "", language = "") {
  if (!/^[A-Za-z0-9_.-]{0,32}$/.test(sendOut) || !/^([A-Za-z0-9]{1,8}(-[A-Za-z0-9]{1,8})*)?$/.test(language)) {
    throw new Error("send-out: up to 32 of A-Z a-z 0-9 _ . -; language: a tag such as fi or en-GB");
  }
  const claims = { sub, c: channel === "email" ? "e" : "s", iat, m: sendOut || undefined, l: language || undefined };
  const text = [{ alg: "HS256", kid: keyId }, claims].map((v) => Buffer.from(JSON.stringify(v)).toString("base64url")).join(".");
  return text + "." + hmac(secret, text).toString("base64url");
}

// Lines of channel, time (empty: now), send-out, language and address, with tabs between; prints the link of each.
if (realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const env = process.env;
  const addressKey = Buffer.from(env.STRIKEOUT_ADDRESS_KEY, "base64");
  const secret = Buffer.from(env.STRIKEOUT_TOKEN_SECRET, "base64");
  const links = readFileSync(0, "utf8").replace(/\n+$/, "").split("\n").map((line) => {
    const [channel, iat, sendOut, language, ...address] = line.split("\t");
    try {
      return env.STRIKEOUT_PUBLIC_URL + "/u/" + token(env.STRIKEOUT_TOKEN_KEY_ID, secret,
        sub(addressKey, channel, address.join("\t")), channel, Number(iat) || Math.floor(Date.now() / 1000), sendOut, language);
    } catch (e) {
      return "error: " + e.message;
    }
  });
  console.log(links.join("\n"));
}
