<?php
// Unsubscribe links for Strikeout, made by an outside agency: it holds a private key of its own and the sub value
// of each recipient, and neither the address key nor our secret. PHP 7.4 or newer with its sodium extension.

function b64url(string $b): string
{
    return rtrim(strtr(base64_encode($b), '+/', '-_'), '=');
}

// A PEM file of openssl ends with the 32 bytes that sodium calls the seed.
function privateKey(string $pem): string
{
    $der = base64_decode(preg_replace('/-----[A-Z ]+-----|\s/', '', $pem));
    return sodium_crypto_sign_secretkey(sodium_crypto_sign_seed_keypair(substr($der, -32)));
}

function token(string $keyId, string $privateKey, string $sub, string $channel, int $iat, string $sendOut = '', string $language = ''): string
{
    if (!preg_match('/\A[A-Za-z0-9_-]{22}\z/', $sub)) {
        throw new InvalidArgumentException('sub: 22 characters, as they were given to you');
    }
    if (!preg_match('/\A[A-Za-z0-9_.-]{0,32}\z/', $sendOut) || !preg_match('/\A([A-Za-z0-9]{1,8}(-[A-Za-z0-9]{1,8})*)?\z/', $language)) {
        throw new InvalidArgumentException('send-out: up to 32 of A-Z a-z 0-9 _ . -; language: a tag such as fi or en-GB');
    }
    $claims = ['sub' => $sub, 'c' => $channel === 'email' ? 'e' : 's', 'iat' => $iat];
    $claims += $sendOut === '' ? [] : ['m' => $sendOut];
    $claims += $language === '' ? [] : ['l' => $language];
    $text = b64url(json_encode(['alg' => 'EdDSA', 'kid' => $keyId])) . '.' . b64url(json_encode($claims));
    return $text . '.' . b64url(sodium_crypto_sign_detached($text, $privateKey));
}

// Lines of channel, time (empty: now), send-out, language and sub, with tabs between; prints the link of each.
$key = privateKey(file_get_contents(getenv('AGENCY_PRIVATE_KEY'))); // made by: openssl genpkey -algorithm ed25519
foreach (explode("\n", rtrim(stream_get_contents(STDIN), "\n")) as $line) {
    [$channel, $iat, $sendOut, $language, $sub] = explode("\t", $line, 5);
    try {
        echo getenv('STRIKEOUT_PUBLIC_URL') . '/u/' . token(getenv('AGENCY_KEY_ID'), $key, $sub, $channel, (int) $iat ?: time(), $sendOut, $language) . "\n";
    } catch (InvalidArgumentException $e) {
        echo 'error: ', $e->getMessage(), "\n";
    }
}
