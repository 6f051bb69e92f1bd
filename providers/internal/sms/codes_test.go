package sms

import (
	"testing"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/recipient"
)

func TestCodes(t *testing.T) {
	table := map[string]recipient.Kind{"gone": recipient.HardBounce, "later": ""}
	plain := NewCodes(providers.Set(), "acme-code", table)
	own := NewCodes(providers.Set("soft_codes", "Gone", "hard_codes", "X-1", "hard_codes", "LATER", "ignored_codes", "noise", "opt_out_codes", "stop"), "acme-code", table)
	tests := []struct {
		codes Codes
		code  string
		kind  recipient.Kind
		rule  string
	}{
		{plain, "GONE", recipient.HardBounce, "acme-code"},
		{plain, " gone ", recipient.HardBounce, "acme-code"},
		{plain, "later", "", "acme-code"},
		{plain, "other", recipient.SoftBounce, "acme-code"},
		{plain, "", recipient.SoftBounce, "acme-code"},
		{own, "gone", recipient.SoftBounce, "setting-soft_codes"},
		{own, "x-1", recipient.HardBounce, "setting-hard_codes"},
		{own, "later", recipient.HardBounce, "setting-hard_codes"},
		{own, "Noise", "", "setting-ignored_codes"},
		{own, "STOP", recipient.OptOut, "setting-opt_out_codes"},
		{own, "", recipient.SoftBounce, "acme-code"},
	}
	for _, tt := range tests {
		if kind, rule := tt.codes.Judge(tt.code); kind != tt.kind || rule != tt.rule {
			t.Errorf("%q: %q by %s, want %q by %s", tt.code, kind, rule, tt.kind, tt.rule)
		}
	}
}

func TestNumberIn(t *testing.T) {
	for reference, want := range map[string]string{
		"+358450000012":              "+358450000012",
		"+358450000012;campaign-42":  "+358450000012",
		"campaign-42,+358450000012":  "+358450000012",
		" +358450000012 | x":         "+358450000012",
		"%2B358450000012;x":          "+358450000012",
		"358450000012":               "",
		"00358450000012":             "",
		"campaign+358450000012":      "",
		"+123456":                    "",
		"+1234567890123456":          "",
		"+35845a000012":              "",
		"order 12345678":             "",
		"+358450000012\n":            "+358450000012",
		"":                           "",
		"+":                          "",
		"one;two;+15551230100;three": "+15551230100",
	} {
		if got := NumberIn(reference); got != want {
			t.Errorf("%q: %q, want %q", reference, got, want)
		}
	}
}
