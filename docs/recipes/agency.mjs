// Unsubscribe links for Strikeout, made by an outside agency: it holds a private key of its own and the sub value
// of each recipient, and neither the address key nor our secret. Node.js 16 or newer.
import { createPrivateKey, sign } from "node:crypto";
import { readFileSync } from "node:fs";

const b64url = (v) => Buffer.from(v).toString("base64url");

export function token(keyId, privateKey, sub, channel, iat, sendOut = "", language = "") {
  if (!/^[A-Za-z0-9_-]{22}$/.test(sub)) throw new Error("sub: 22 characters, as they were given to you");
  if (!/^[A-Za-z0-9_.-]{0,32}$/.test(sendOut) || !/^([A-Za-z0-9]{1,8}(-[A-Za-z0-9]{1,8})*)?$/.test(language)) {
    throw new Error("send-out: up to 32 of A-Z a-z 0-9 _ . -; language: a tag such as fi or en-GB");
  }
  const claims = { sub, c: channel === "email" ? "e" : "s", iat, m: sendOut || undefined, l: language || undefined };
  const text = [{ alg: "EdDSA", kid: keyId }, claims].map((v) => b64url(JSON.stringify(v))).join(".");
  return text + "." + b64url(sign(null, Buffer.from(text), privateKey));
}

// Lines of channel, time (empty: now), send-out, language and sub, with tabs between; prints the link of each.
const env = process.env;
const key = createPrivateKey(readFileSync(env.AGENCY_PRIVATE_KEY)); // made by: openssl genpkey -algorithm ed25519
const links = readFileSync(0, "utf8").replace(/\n+$/, "").split("\n").map((line) => {
  const [channel, iat, sendOut, language, sub] = line.split("\t");
  try {
    return env.STRIKEOUT_PUBLIC_URL + "/u/" + token(env.AGENCY_KEY_ID, key, sub, channel, Number(iat) || Math.floor(Date.now() / 1000), sendOut, language);
  } catch (e) {
    return "error: " + e.message;
  }
});
console.log(links.join("\n"));
