package sns

import (
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"io"
	"math/big"
	"time"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/sim"
)

// Settings makes settings for simulated messages: a topic below the ARN
// prefix, and a certificate with its private key.
func Settings(rand io.Reader, arnPrefix string) (providers.Settings, error) {
	s, err := sim.RSA(rand)
	if err != nil {
		return s, err
	}
	topic, err := sim.Secret(rand)
	if err != nil {
		return s, err
	}
	key, err := sim.RSAKey(s)
	if err != nil {
		return s, err
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "simulated"},
		NotBefore: time.Unix(0, 0), NotAfter: time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC)}
	der, err := x509.CreateCertificate(rand, template, template, key.Public(), key)
	if err != nil {
		return s, err
	}
	delete(s.Values, "public_key")
	s.Values[TopicsSetting.Name] = []string{arnPrefix + topic}
	s.Values[CertificatesSetting.Name] = []string{string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))}
	return s, nil
}

// Post builds a truly signed notification of the settings' topic.
func Post(s providers.Shot, certURL, message string) (*providers.Request, error) {
	e := Envelope{Type: Notification, MessageID: sim.UUID("sns" + s.ID), TopicArn: s.Settings.Get(TopicsSetting.Name, ""), Message: message, Timestamp: sim.RFC3339(s.At)}
	signature, err := sim.SignRSA(s.Settings, crypto.SHA256, e.text())
	if err != nil {
		return nil, err
	}
	// A struct, so that the members stand in the order in which SNS sends them.
	body := sim.JSON(struct {
		Type, MessageId, TopicArn, Message, Timestamp, SignatureVersion, Signature, SigningCertURL string //nolint:revive // SNS' own names
	}{e.Type, e.MessageID, e.TopicArn, e.Message, e.Timestamp, "2", base64.StdEncoding.EncodeToString(signature), certURL})
	return s.Post("text/plain; charset=UTF-8", body, "X-Amz-Sns-Message-Type", Notification, "X-Amz-Sns-Topic-Arn", e.TopicArn), nil
}
