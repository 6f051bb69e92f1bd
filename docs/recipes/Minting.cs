// Unsubscribe links for Strikeout, without dependencies. .NET 5 or newer, .NET Framework 4.6 or newer.
using System;
using System.IO;
using System.Linq;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

public static class Minting
{
    static readonly Regex Email = new Regex("^(?=.{1,254}\\z)(?=[^@]{1,64}@)[a-z0-9.!#$%&'*+/=?^_`{|}~-]+@"
        + "(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\\.)+(?![0-9]+\\z)[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\\z");
    static readonly Regex Phone = new Regex("^(?:\\+|00)([1-9][0-9]{6,14})\\z");
    static readonly char[] Blank = { ' ', '\t', '\r', '\n', '\v', '\f' };

    static byte[] Hmac(byte[] key, string text)
    {
        using (var mac = new HMACSHA256(key)) return mac.ComputeHash(Encoding.UTF8.GetBytes(text));
    }

    static string B64Url(byte[] b)
    {
        return Convert.ToBase64String(b).TrimEnd('=').Replace('+', '-').Replace('/', '_');
    }

    // The one spelling that keys are made from. Plain ASCII only: libraries disagree about the rest.
    public static string Normal(string channel, string address)
    {
        var s = address.Trim(Blank);
        var ascii = s.All(c => c < 128);
        var lower = s.ToLowerInvariant();
        if (channel == "email" && ascii && Email.IsMatch(lower)) return lower;
        var phone = Phone.Match(Regex.Replace(s, "[ \\t\\r\\n\\v\\f./()-]", ""));
        if (channel == "sms" && ascii && !s.Contains("(0)") && phone.Success) return "+" + phone.Groups[1].Value;
        throw new ArgumentException("cannot name this address here: use POST /v1/links");
    }

    public static string Sub(byte[] addressKey, string channel, string address)
    {
        return B64Url(Hmac(addressKey, channel + ":" + Normal(channel, address)).Take(16).ToArray());
    }

    public static string Token(string keyId, byte[] secret, string sub, string channel, long iat, string sendOut = "", string language = "")
    {
        if (!Regex.IsMatch(sendOut, "^[A-Za-z0-9_.-]{0,32}\\z") || !Regex.IsMatch(language, "^([A-Za-z0-9]{1,8}(-[A-Za-z0-9]{1,8})*)?\\z"))
            throw new ArgumentException("send-out: up to 32 of A-Z a-z 0-9 _ . -; language: a tag such as fi or en-GB");
        var claims = "{\"sub\":\"" + sub + "\",\"c\":\"" + (channel == "email" ? "e" : "s") + "\",\"iat\":" + iat
            + (sendOut == "" ? "" : ",\"m\":\"" + sendOut + "\"") + (language == "" ? "" : ",\"l\":\"" + language + "\"") + "}";
        var header = "{\"alg\":\"HS256\",\"kid\":\"" + keyId + "\"}";
        var text = B64Url(Encoding.UTF8.GetBytes(header)) + "." + B64Url(Encoding.UTF8.GetBytes(claims));
        return text + "." + B64Url(Hmac(secret, text));
    }

    // Lines of channel, time (empty: now), send-out, language and address, with tabs between; prints the link of each.
    public static void Main()
    {
        Func<string, string> env = Environment.GetEnvironmentVariable;
        var addressKey = Convert.FromBase64String(env("STRIKEOUT_ADDRESS_KEY"));
        var secret = Convert.FromBase64String(env("STRIKEOUT_TOKEN_SECRET"));
        var input = new StreamReader(Console.OpenStandardInput(), new UTF8Encoding(false)).ReadToEnd();
        foreach (var line in input.TrimEnd('\n').Split('\n'))
        {
            var f = line.Split(new[] { '\t' }, 5);
            try
            {
                var iat = f[1] == "" ? DateTimeOffset.UtcNow.ToUnixTimeSeconds() : long.Parse(f[1]);
                Console.WriteLine(env("STRIKEOUT_PUBLIC_URL") + "/u/"
                    + Token(env("STRIKEOUT_TOKEN_KEY_ID"), secret, Sub(addressKey, f[0], f[4]), f[0], iat, f[2], f[3]));
            }
            catch (ArgumentException e)
            {
                Console.WriteLine("error: " + e.Message);
            }
        }
    }
}
