package handlers

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

var httpMethods = []string{"get", "head", "options", "post", "put", "delete", "patch"}

func openAPIDocument(t *testing.T) map[string]any {
	t.Helper()
	var doc map[string]any
	if err := yaml.Unmarshal(OpenAPI, &doc); err != nil {
		t.Fatalf("openapi.yaml: %v", err)
	}
	return doc
}

// Every route is described, and nothing else is.
func TestOpenAPIMatchesTheRoutes(t *testing.T) {
	b := start(t, nil)
	served := map[string]bool{}
	for _, r := range b.srv.App().GetRoutes(true) {
		pattern := r.Path
		for _, p := range r.Params {
			pattern = strings.Replace(pattern, ":"+p, "{"+p+"}", 1)
		}
		served[strings.ToLower(r.Method)+" "+pattern] = true
	}
	described := map[string]bool{}
	for path, item := range openAPIDocument(t)["paths"].(map[string]any) {
		for method := range item.(map[string]any) {
			if !slices.Contains(httpMethods, method) {
				continue
			}
			described[method+" "+path] = true
			if method == "get" { // HTTP itself says what HEAD is
				described["head "+path] = true
			}
		}
	}
	if d := cmp.Diff(slices.Sorted(maps.Keys(served)), slices.Sorted(maps.Keys(described))); d != "" {
		t.Errorf("routes (-served +described):\n%s", d)
	}
}

func TestOpenAPIIsWhole(t *testing.T) {
	doc := openAPIDocument(t)
	if v, _ := doc["openapi"].(string); !strings.HasPrefix(v, "3.1.") {
		t.Errorf("openapi: got %q", v)
	}
	for path, item := range doc["paths"].(map[string]any) {
		operations := item.(map[string]any)
		for _, m := range httpMethods {
			op, ok := operations[m].(map[string]any)
			if !ok {
				continue
			}
			if op["summary"] == nil || op["responses"] == nil || op["tags"] == nil {
				t.Errorf("%s %s lacks a summary, tags or responses", m, path)
			}
		}
		params := list(operations["parameters"])
		for name := range strings.SplitSeq(path, "{") {
			name, _, found := strings.Cut(name, "}")
			if found && !slices.ContainsFunc(params, func(p any) bool { return resolve(t, doc, p)["name"] == name }) {
				t.Errorf("%s does not describe {%s}", path, name)
			}
		}
	}
	checkRefs(t, doc, doc)
}

func list(v any) []any {
	l, _ := v.([]any)
	return l
}

func checkRefs(t *testing.T, doc map[string]any, v any) {
	t.Helper()
	switch v := v.(type) {
	case map[string]any:
		if _, ok := v["$ref"]; ok {
			resolve(t, doc, v)
		}
		for _, x := range v {
			checkRefs(t, doc, x)
		}
	case []any:
		for _, x := range v {
			checkRefs(t, doc, x)
		}
	}
}

// resolve follows one reference.
func resolve(t *testing.T, doc map[string]any, v any) map[string]any {
	t.Helper()
	m := v.(map[string]any)
	ref, ok := m["$ref"].(string)
	if !ok {
		return m
	}
	at := doc
	for part := range strings.SplitSeq(strings.TrimPrefix(ref, "#/"), "/") {
		if at, ok = at[part].(map[string]any); !ok {
			t.Errorf("%s leads nowhere", ref)
			return nil
		}
	}
	return at
}

// What the server answers has the members that the document promises.
func TestOpenAPIDescribesTheAnswers(t *testing.T) {
	b := start(t, nil)
	schemas := openAPIDocument(t)["components"].(map[string]any)["schemas"].(map[string]any)
	b.do("POST", "/webhooks/acme", acme("a@example.com", "hard_bounce", "1"), signed, "good")
	state := object(t, b.do("GET", "/v1/recipients/email/a@example.com", "", bearer(readKey)...))
	contact := object(t, b.do("PUT", "/v1/contacts/1", "{}", bearer(writeKey)...))
	line, _, _ := strings.Cut(b.do("GET", "/v1/events", "", bearer(readKey)...).body, "\n")
	fed := object(t, answer{body: line})
	listed := object(t, b.do("GET", "/v1/recipients?flag=blocked", "", bearer(readKey)...))["recipients"].([]any)[0].(map[string]any)
	for name, got := range map[string]map[string]any{"FeedEvent": fed, "ListedRecipient": listed, "State": state, "Event": state["events"].([]any)[0].(map[string]any), "Contact": contact} {
		schema := schemas[name].(map[string]any)
		var required []string
		for _, r := range list(schema["required"]) {
			required = append(required, r.(string))
		}
		slices.Sort(required)
		if d := cmp.Diff(required, slices.Sorted(maps.Keys(got))); d != "" {
			t.Errorf("%s (-document +answer):\n%s", name, d)
		}
		if d := cmp.Diff(required, slices.Sorted(maps.Keys(schema["properties"].(map[string]any)))); d != "" {
			t.Errorf("%s (-required +properties):\n%s", name, d)
		}
	}
}
