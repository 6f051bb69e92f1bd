package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/strikeout/strikeout/providers"
)

// endpointYAML writes an endpoint as it stands in strikeout.yaml, with its
// secrets.
func endpointYAML(name string, info providers.Info, s providers.Settings) string {
	var b strings.Builder
	fmt.Fprintf(&b, "endpoints:\n  %s:\n    provider: %s\n", name, info.Name)
	if s.Unsigned {
		b.WriteString("    unsigned: true\n")
	}
	for _, key := range slices.Sorted(maps.Keys(s.Values)) {
		values := s.All(key)
		if key == privateKeyKey {
			b.WriteString("    # For strikeout simulate only: keep it out of real configurations.\n")
		}
		for i, v := range values {
			lead := "    " + key + ": "
			if len(values) > 1 {
				lead = "      - "
				if i == 0 {
					fmt.Fprintf(&b, "    %s:\n", key)
				}
			}
			b.WriteString(lead + yamlText(v, len(lead)-len(strings.TrimLeft(lead, " "))+2) + "\n")
		}
	}
	return b.String()
}

// yamlText quotes a value; several lines become a block.
func yamlText(v string, indent int) string {
	if !strings.Contains(strings.TrimRight(v, "\n"), "\n") {
		return "'" + strings.ReplaceAll(strings.TrimRight(v, "\n"), "'", "''") + "'"
	}
	pad := "\n" + strings.Repeat(" ", indent)
	return "|" + pad + strings.ReplaceAll(strings.TrimRight(v, "\n"), "\n", pad)
}
