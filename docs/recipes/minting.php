<?php
// Unsubscribe links for Strikeout, without dependencies. PHP 7.4 or newer.
namespace Strikeout;

const EMAIL = '/\A(?=.{1,254}\z)(?=[^@]{1,64}@)[a-z0-9.!#$%&\'*+\/=?^_`{|}~-]+@'
    . '(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+(?![0-9]+\z)[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\z/';
const PHONE = '/\A(?:\+|00)([1-9][0-9]{6,14})\z/';

function b64url(string $b): string
{
    return rtrim(strtr(base64_encode($b), '+/', '-_'), '=');
}

// The one spelling that keys are made from. Plain ASCII only: libraries disagree about the rest.
function normal(string $channel, string $address): string
{
    $s = trim($address, " \t\r\n\v\f");
    $lower = strtr($s, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz');
    if ($channel === 'email' && preg_match(EMAIL, $lower)) {
        return $lower;
    }
    $digits = preg_replace('/[ \t\r\n\x0b\f.\/()-]/', '', $s);
    if ($channel === 'sms' && strpos($s, '(0)') === false && preg_match(PHONE, $digits, $m)) {
        return '+' . $m[1];
    }
    throw new \InvalidArgumentException('cannot name this address here: use POST /v1/links');
}

function sub(string $addressKey, string $channel, string $address): string
{
    return b64url(substr(hash_hmac('sha256', $channel . ':' . normal($channel, $address), $addressKey, true), 0, 16));
}

function token(string $keyId, string $secret, string $sub, string $channel, int $iat, string $sendOut = '', string $language = ''): string
{
    if (!preg_match('/\A[A-Za-z0-9_.-]{0,32}\z/', $sendOut) || !preg_match('/\A([A-Za-z0-9]{1,8}(-[A-Za-z0-9]{1,8})*)?\z/', $language)) {
        throw new \InvalidArgumentException('send-out: up to 32 of A-Z a-z 0-9 _ . -; language: a tag such as fi or en-GB');
    }
    $claims = ['sub' => $sub, 'c' => $channel === 'email' ? 'e' : 's', 'iat' => $iat];
    $claims += $sendOut === '' ? [] : ['m' => $sendOut];
    $claims += $language === '' ? [] : ['l' => $language];
    $text = b64url(json_encode(['alg' => 'HS256', 'kid' => $keyId])) . '.' . b64url(json_encode($claims));
    return $text . '.' . b64url(hash_hmac('sha256', $text, $secret, true));
}

// Lines of channel, time (empty: now), send-out, language and address, with tabs between; prints the link of each.
if (realpath($_SERVER['SCRIPT_FILENAME']) === __FILE__) {
    $addressKey = base64_decode(getenv('STRIKEOUT_ADDRESS_KEY'));
    $secret = base64_decode(getenv('STRIKEOUT_TOKEN_SECRET'));
    foreach (explode("\n", rtrim(stream_get_contents(STDIN), "\n")) as $line) {
        [$channel, $iat, $sendOut, $language, $address] = explode("\t", $line, 5);
        try {
            echo getenv('STRIKEOUT_PUBLIC_URL') . '/u/' . token(getenv('STRIKEOUT_TOKEN_KEY_ID'), $secret,
                sub($addressKey, $channel, $address), $channel, (int) $iat ?: time(), $sendOut, $language) . "\n";
        } catch (\InvalidArgumentException $e) {
            echo 'error: ', $e->getMessage(), "\n";
        }
    }
}
