# Unsubscribe links for Strikeout, without dependencies. Ruby 2.7 or newer.
require "json"
require "openssl"

module Strikeout
  EMAIL = %r{\A(?=.{1,254}\z)(?=[^@]{1,64}@)[a-z0-9.!\#$%&'*+/=?^_`{|}~-]+@
    (?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+(?![0-9]+\z)[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\z}x
  PHONE = /\A(?:\+|00)([1-9][0-9]{6,14})\z/

  module_function

  def b64url(bytes)
    [bytes].pack("m0").tr("+/", "-_").delete("=")
  end

  # The one spelling that keys are made from. Plain ASCII only: libraries disagree about the rest.
  def normal(channel, address)
    s = address.gsub(/\A[ \t\r\n\v\f]+|[ \t\r\n\v\f]+\z/, "")
    return s.downcase if channel == "email" && s.ascii_only? && EMAIL.match?(s.downcase)
    phone = PHONE.match(s.gsub(%r{[ \t\r\n\v\f./()-]}, ""))
    return "+" + phone[1] if channel == "sms" && s.ascii_only? && !s.include?("(0)") && phone
    raise ArgumentError, "cannot name this address here: use POST /v1/links"
  end

  def sub(address_key, channel, address)
    b64url(OpenSSL::HMAC.digest("SHA256", address_key, "#{channel}:#{normal(channel, address)}")[0, 16])
  end

  def token(key_id, secret, sub, channel, iat, send_out = "", language = "")
    unless send_out.match?(/\A[A-Za-z0-9_.-]{0,32}\z/) && language.match?(/\A([A-Za-z0-9]{1,8}(-[A-Za-z0-9]{1,8})*)?\z/)
      raise ArgumentError, "send-out: up to 32 of A-Z a-z 0-9 _ . -; language: a tag such as fi or en-GB"
    end
    claims = { sub: sub, c: channel == "email" ? "e" : "s", iat: iat }
    claims[:m] = send_out unless send_out.empty?
    claims[:l] = language unless language.empty?
    text = [{ alg: "HS256", kid: key_id }, claims].map { |v| b64url(JSON.generate(v)) }.join(".")
    "#{text}.#{b64url(OpenSSL::HMAC.digest("SHA256", secret, text))}"
  end
end

# Lines of channel, time (empty: now), send-out, language and address, with tabs between; prints the link of each.
if __FILE__ == $PROGRAM_NAME
  address_key = ENV.fetch("STRIKEOUT_ADDRESS_KEY").unpack1("m")
  secret = ENV.fetch("STRIKEOUT_TOKEN_SECRET").unpack1("m")
  $stdin.read.force_encoding("UTF-8").chomp.split("\n", -1).each do |line|
    channel, iat, send_out, language, address = line.split("\t", 5)
    begin
      sub = Strikeout.sub(address_key, channel, address)
      puts "#{ENV.fetch("STRIKEOUT_PUBLIC_URL")}/u/#{Strikeout.token(ENV.fetch("STRIKEOUT_TOKEN_KEY_ID"), secret, sub,
        channel, iat.empty? ? Time.now.to_i : Integer(iat, 10), send_out, language)}"
    rescue ArgumentError => e
      puts "error: #{e.message}"
    end
  end
end
