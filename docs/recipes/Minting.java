// Unsubscribe links for Strikeout, without dependencies. Java 11 or newer.
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.util.Arrays;
import java.util.Base64;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

public final class Minting {
    private static final Pattern EMAIL = Pattern.compile("(?=.{1,254}\\z)(?=[^@]{1,64}@)[a-z0-9.!#$%&'*+/=?^_`{|}~-]+@"
        + "(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\\.)+(?![0-9]+\\z)[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?");
    private static final Pattern PHONE = Pattern.compile("(?:\\+|00)([1-9][0-9]{6,14})");

    static byte[] hmac(byte[] key, String text) throws GeneralSecurityException {
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(key, "HmacSHA256"));
        return mac.doFinal(text.getBytes(StandardCharsets.UTF_8));
    }

    static String b64url(byte[] b) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(b);
    }

    /** The one spelling that keys are made from. Plain ASCII only: libraries disagree about the rest. */
    public static String normal(String channel, String address) {
        String s = address.replaceAll("^[ \\t\\r\\n\\x0b\\f]+|[ \\t\\r\\n\\x0b\\f]+\\z", "");
        boolean ascii = s.chars().allMatch(c -> c < 128);
        String lower = s.toLowerCase(Locale.ROOT);
        if (channel.equals("email") && ascii && EMAIL.matcher(lower).matches()) {
            return lower;
        }
        Matcher phone = PHONE.matcher(s.replaceAll("[ \\t\\r\\n\\x0b\\f./()-]", ""));
        if (channel.equals("sms") && ascii && !s.contains("(0)") && phone.matches()) {
            return "+" + phone.group(1);
        }
        throw new IllegalArgumentException("cannot name this address here: use POST /v1/links");
    }

    public static String sub(byte[] addressKey, String channel, String address) throws GeneralSecurityException {
        return b64url(Arrays.copyOf(hmac(addressKey, channel + ":" + normal(channel, address)), 16));
    }

    public static String token(String keyId, byte[] secret, String sub, String channel, long iat, String sendOut, String language)
            throws GeneralSecurityException {
        if (!sendOut.matches("[A-Za-z0-9_.-]{0,32}") || !language.matches("([A-Za-z0-9]{1,8}(-[A-Za-z0-9]{1,8})*)?")) {
            throw new IllegalArgumentException("send-out: up to 32 of A-Z a-z 0-9 _ . -; language: a tag such as fi or en-GB");
        }
        String claims = "{\"sub\":\"" + sub + "\",\"c\":\"" + (channel.equals("email") ? "e" : "s") + "\",\"iat\":" + iat
            + (sendOut.isEmpty() ? "" : ",\"m\":\"" + sendOut + "\"") + (language.isEmpty() ? "" : ",\"l\":\"" + language + "\"") + "}";
        String header = "{\"alg\":\"HS256\",\"kid\":\"" + keyId + "\"}";
        String text = b64url(header.getBytes(StandardCharsets.UTF_8)) + "." + b64url(claims.getBytes(StandardCharsets.UTF_8));
        return text + "." + b64url(hmac(secret, text));
    }

    /** Lines of channel, time (empty: now), send-out, language and address, with tabs between; prints the link of each. */
    public static void main(String[] args) throws Exception {
        byte[] addressKey = Base64.getDecoder().decode(System.getenv("STRIKEOUT_ADDRESS_KEY"));
        byte[] secret = Base64.getDecoder().decode(System.getenv("STRIKEOUT_TOKEN_SECRET"));
        String input = new String(System.in.readAllBytes(), StandardCharsets.UTF_8);
        for (String line : input.split("\n")) {
            String[] f = line.split("\t", 5);
            try {
                long iat = f[1].isEmpty() ? System.currentTimeMillis() / 1000 : Long.parseLong(f[1]);
                System.out.println(System.getenv("STRIKEOUT_PUBLIC_URL") + "/u/"
                    + token(System.getenv("STRIKEOUT_TOKEN_KEY_ID"), secret, sub(addressKey, f[0], f[4]), f[0], iat, f[2], f[3]));
            } catch (IllegalArgumentException e) {
                System.out.println("error: " + e.getMessage());
            }
        }
    }
}
