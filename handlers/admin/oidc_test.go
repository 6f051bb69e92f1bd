package admin

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/strikeout/strikeout/store"
)

// issuer is an OpenID Connect provider in this process. It checks what we must
// send (PKCE, redirect address, the client's secret) and can be told to answer
// wrongly.
type issuer struct {
	*httptest.Server
	t       *testing.T
	desk    *desk
	key     *rsa.PrivateKey
	claims  jwt.MapClaims                // of whoever signs in, beyond what it fills in
	mangle  func(c jwt.MapClaims)        // changes the ID token
	sign    func(c jwt.MapClaims) string // signs it otherwise
	codes   map[string]url.Values        // what the browser asked for, by code
	asked   url.Values                   // the last request for a code
	tokens  int                          // ID tokens given out
	refuses bool                         // the token endpoint says no
	down    bool                         // nothing answers
	meta    func(m map[string]any)       // changes the metadata
}

func newIssuer(t *testing.T) *issuer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	i := &issuer{t: t, key: key, codes: map[string]url.Values{}}
	mux := http.NewServeMux()
	mux.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		m := map[string]any{"issuer": i.URL, "authorization_endpoint": i.URL + "/authorize", "token_endpoint": i.URL + "/token", "jwks_uri": i.URL + "/keys",
			"end_session_endpoint": i.URL + "/logout", "id_token_signing_alg_values_supported": []string{"RS256"}, "response_types_supported": []string{"code"}}
		if i.meta != nil {
			i.meta(m)
		}
		reply(w, m)
	})
	mux.HandleFunc("/keys", func(w http.ResponseWriter, _ *http.Request) {
		n := base64.RawURLEncoding.EncodeToString(key.N.Bytes())
		e := base64.RawURLEncoding.EncodeToString(big.NewInt(int64(key.E)).Bytes())
		reply(w, map[string]any{"keys": []any{map[string]any{"kty": "RSA", "kid": "1", "alg": "RS256", "use": "sig", "n": n, "e": e}}})
	})
	mux.HandleFunc("/token", i.token)
	i.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if i.down {
			http.Error(w, "down", http.StatusBadGateway)
			return
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(i.Close)
	return i
}

func reply(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(v) //nolint:errcheck // a test's own server
}

// authorize is what the browser meets at the provider: it returns where the
// browser is sent.
func (i *issuer) authorize(to string) string {
	i.t.Helper()
	u, err := url.Parse(to)
	if err != nil || !strings.HasPrefix(to, i.URL+"/authorize?") {
		i.t.Fatalf("sent to %q", to)
	}
	i.asked = u.Query()
	code := rand.Text()
	i.codes[code] = i.asked
	return "/admin/oidc/callback?" + url.Values{"code": {code}, "state": {i.asked.Get("state")}}.Encode()
}

func (i *issuer) token(w http.ResponseWriter, r *http.Request) {
	r.ParseForm() //nolint:errcheck // a missing field is refused below
	asked, ok := i.codes[r.PostForm.Get("code")]
	delete(i.codes, r.PostForm.Get("code"))
	sum := sha256.Sum256([]byte(r.PostForm.Get("code_verifier")))
	id, secret, basic := r.BasicAuth()
	if !basic {
		id, secret = r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")
	}
	if i.refuses || !ok || asked.Get("code_challenge_method") != "S256" || asked.Get("code_challenge") != base64.RawURLEncoding.EncodeToString(sum[:]) ||
		r.PostForm.Get("redirect_uri") != asked.Get("redirect_uri") || id != "desk" || secret != "client-secret" {
		w.WriteHeader(http.StatusBadRequest)
		reply(w, map[string]string{"error": "invalid_grant", "error_description": "PRIVATE"})
		return
	}
	now := i.desk.now
	c := jwt.MapClaims{"iss": i.URL, "aud": "desk", "sub": "sub-1", "iat": now.Unix(), "exp": now.Add(5 * time.Minute).Unix(), "nonce": asked.Get("nonce"),
		"email": "anna@example.com", "email_verified": true}
	for k, v := range i.claims {
		c[k] = v
	}
	if i.mangle != nil {
		i.mangle(c)
	}
	i.tokens++
	sign := i.sign
	if sign == nil {
		sign = i.rs256
	}
	reply(w, map[string]any{"access_token": "a", "token_type": "Bearer", "id_token": sign(c)})
}

func (i *issuer) rs256(c jwt.MapClaims) string { return signed(i.t, jwt.SigningMethodRS256, c, i.key) }

func signed(t *testing.T, m jwt.SigningMethod, c jwt.MapClaims, key any) string {
	t.Helper()
	tok := jwt.NewWithClaims(m, c)
	tok.Header["kid"] = "1"
	s, err := tok.SignedString(key)
	if err != nil {
		t.Error(err)
	}
	return s
}

func newOIDCDesk(t *testing.T, change func(*OIDC)) (*desk, *issuer) {
	t.Helper()
	i := newIssuer(t)
	o := &OIDC{Issuer: i.URL, ClientID: "desk", ClientSecret: "client-secret", Title: "Example ID"}
	if change != nil {
		change(o)
	}
	d := newDesk(t, func(c *Config) { c.OIDC = o })
	i.desk = d
	return d, i
}

// begin starts a sign-in and returns where the browser comes back to, and its cookie.
func (d *desk) begin(i *issuer) (back, cookie string) {
	d.t.Helper()
	got := d.send("GET", "/admin/oidc/start?next=/admin/account", nil)
	if got.StatusCode != http.StatusSeeOther {
		d.t.Fatalf("start: got %d\n%s", got.StatusCode, got.body)
	}
	return i.authorize(got.to()), got.cookie()
}

func (d *desk) signInByOIDC(i *issuer) answer {
	d.t.Helper()
	back, cookie := d.begin(i)
	return d.send("GET", back, nil, "Cookie", cookie, "Sec-Fetch-Site", "cross-site")
}

func signedIn(a answer) bool {
	return a.StatusCode == http.StatusSeeOther && strings.HasPrefix(a.cookie(), "so=")
}

func TestOIDC(t *testing.T) {
	d, i := newOIDCDesk(t, nil)
	if got := d.signInByOIDC(i); signedIn(got) || got.StatusCode != http.StatusForbidden {
		t.Errorf("a stranger: got %d", got.StatusCode)
	}
	anna := d.user("anna@example.com", store.RoleOperator, "")
	got := d.signInByOIDC(i)
	if !signedIn(got) || got.to() != "/admin/account" {
		t.Fatalf("got %d to %q\n%s", got.StatusCode, got.to(), got.body)
	}
	for name, want := range map[string]string{"response_type": "code", "client_id": "desk", "code_challenge_method": "S256", "redirect_uri": "http://127.0.0.1:8080/admin/oidc/callback"} {
		if i.asked.Get(name) != want {
			t.Errorf("%s: got %q, want %q", name, i.asked.Get(name), want)
		}
	}
	if len(i.asked.Get("state")) != 43 || len(i.asked.Get("nonce")) != 43 || i.asked.Get("state") == i.asked.Get("nonce") {
		t.Errorf("state and nonce: got %v", i.asked)
	}
	u, err := d.db.User(t.Context(), anna.ID)
	if err != nil || u.Subject == "" || u.Role != store.RoleOperator {
		t.Errorf("linked: got %+v, %v", u, err)
	}
	// The account stays the same person when the e-mail address changes, and
	// another account with the old address is somebody else.
	i.claims = jwt.MapClaims{"email": "anna.b@example.net", "email_verified": false}
	if got := d.signInByOIDC(i); !signedIn(got) {
		t.Errorf("after a change of address: got %d", got.StatusCode)
	}
	i.claims = jwt.MapClaims{"sub": "sub-2"}
	if got := d.signInByOIDC(i); signedIn(got) {
		t.Error("another account with the same address came in")
	}
	// Out again, with the way to the provider's own sign-out.
	session := got.Cookies()
	secret := ""
	for _, c := range session {
		if c.Name == "so" {
			secret = c.Value
		}
	}
	out := d.send("POST", "/admin/logout", url.Values{"csrf": {csrfToken(secret)}}, "Cookie", "so="+secret)
	if !strings.Contains(out.body, i.URL+"/logout?client_id=desk&amp;post_logout_redirect_uri=") {
		t.Errorf("signed out: got\n%s", out.body)
	}
	if err := d.db.SetDisabled(t.Context(), anna.ID, true, store.By{}); err != nil {
		t.Fatal(err)
	}
	i.claims = nil
	if got := d.signInByOIDC(i); signedIn(got) {
		t.Error("a locked-out user came in")
	}
}

func TestOIDCRefusesBadTokens(t *testing.T) {
	d, i := newOIDCDesk(t, nil)
	d.user("anna@example.com", store.RoleAdmin, "")
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	claim := func(name string, v any) func(jwt.MapClaims) { return func(c jwt.MapClaims) { c[name] = v } }
	tests := []struct {
		name   string
		mangle func(jwt.MapClaims)
		sign   func(jwt.MapClaims) string
	}{
		{"another issuer", claim("iss", "https://evil.example"), nil},
		{"a slash more", claim("iss", i.URL+"/"), nil},
		{"another audience", claim("aud", "other"), nil},
		{"several audiences without us as party", claim("aud", []string{"desk", "other"}), nil},
		{"another party", claim("azp", "other"), nil},
		{"another nonce", claim("nonce", "x"), nil},
		{"no nonce", func(c jwt.MapClaims) { delete(c, "nonce") }, nil},
		{"expired", claim("exp", noon.Add(-3*time.Minute).Unix()), nil},
		{"no end", func(c jwt.MapClaims) { delete(c, "exp") }, nil},
		{"of the future", claim("iat", noon.Add(time.Hour).Unix()), nil},
		{"nobody", claim("sub", ""), nil},
		{"an unverified address", claim("email_verified", false), nil},
		{"an address not said to be verified", func(c jwt.MapClaims) { delete(c, "email_verified") }, nil},
		{"no address", func(c jwt.MapClaims) { delete(c, "email") }, nil},
		{"another key", nil, func(c jwt.MapClaims) string { return signed(t, jwt.SigningMethodRS256, c, other) }},
		{"no signature", nil, func(c jwt.MapClaims) string {
			return signed(t, jwt.SigningMethodNone, c, jwt.UnsafeAllowNoneSignatureType)
		}},
		{"the public key as a secret", nil, func(c jwt.MapClaims) string { return signed(t, jwt.SigningMethodHS256, c, i.key.N.Bytes()) }},
		{"no token", nil, func(jwt.MapClaims) string { return "" }},
		{"junk", nil, func(jwt.MapClaims) string { return "a.b.c" }},
	}
	for _, tt := range tests {
		i.mangle, i.sign = tt.mangle, tt.sign
		before := i.tokens
		got := d.signInByOIDC(i)
		if got.StatusCode != http.StatusForbidden || got.cookie() != "" || i.tokens != before+1 {
			t.Errorf("%s: got %d, cookie %q", tt.name, got.StatusCode, got.cookie())
		}
	}
	if e := d.log()[0]; e.Action != "login.failed" {
		t.Errorf("audit: got %+v", e)
	}
	// Within the allowance for clocks.
	i.mangle, i.sign = claim("exp", noon.Add(-time.Minute).Unix()), nil
	if got := d.signInByOIDC(i); !signedIn(got) {
		t.Errorf("a minute late: got %d", got.StatusCode)
	}
}

// Only the browser that began a sign-in ends it, once, and in time.
func TestOIDCFlowBelongsToTheBrowser(t *testing.T) {
	d, i := newOIDCDesk(t, nil)
	d.user("anna@example.com", store.RoleAdmin, "")
	back, cookie := d.begin(i)
	_, otherCookie := d.begin(i)
	otherBack, _ := d.begin(i)
	late, lateCookie := d.begin(i)
	for name, try := range map[string]func() answer{
		"no cookie":        func() answer { return d.send("GET", back, nil) },
		"another's cookie": func() answer { return d.send("GET", back, nil, "Cookie", otherCookie) },
		"another's code":   func() answer { return d.send("GET", otherBack, nil, "Cookie", cookie) },
		"no state":         func() answer { return d.send("GET", strings.Split(back, "&state")[0], nil, "Cookie", cookie) },
		"an error":         func() answer { return d.send("GET", back+"&error=access_denied", nil, "Cookie", cookie) },
		"another provider": func() answer { return d.send("GET", back+"&iss=https%3A%2F%2Fevil.example", nil, "Cookie", cookie) },
		"a look":           func() answer { return d.send("HEAD", back, nil, "Cookie", cookie) },
		"a cookie of dots": func() answer { return d.send("GET", back, nil, "Cookie", "so-oidc=....") },
		"after ten minutes": func() answer {
			d.now = noon.Add(flowLife)
			defer func() { d.now = noon }()
			return d.send("GET", late, nil, "Cookie", lateCookie)
		},
	} {
		if got := try(); got.StatusCode == http.StatusSeeOther || got.cookie() != "" {
			t.Errorf("%s: got %d, %q", name, got.StatusCode, got.cookie())
		}
	}
	if i.tokens != 0 {
		t.Errorf("%d codes were redeemed for somebody else", i.tokens)
	}
	if got := d.send("GET", back, nil, "Cookie", cookie); !signedIn(got) {
		t.Errorf("the right browser: got %d", got.StatusCode)
	}
	if got := d.send("GET", back, nil, "Cookie", cookie); got.StatusCode != http.StatusBadGateway || strings.Contains(got.body, "PRIVATE") {
		t.Errorf("the code again: got %d", got.StatusCode)
	}
}

func TestOIDCGroupsAndDomains(t *testing.T) {
	d, i := newOIDCDesk(t, func(o *OIDC) {
		o.Domains = []string{"Example.com"}
		o.Groups = map[string]store.Role{"admins": store.RoleAdmin, "support": store.RoleOperator}
	})
	d.quick()
	d.user("root@example.com", store.RoleAdmin, goodPassword)
	role := func(claims jwt.MapClaims) store.Role {
		t.Helper()
		i.claims = claims
		got := d.signInByOIDC(i)
		if !signedIn(got) {
			return ""
		}
		u, err := d.db.UserByName(t.Context(), "anna@example.com")
		if err != nil {
			t.Fatal(err)
		}
		return u.Role
	}
	for _, tt := range []struct {
		name   string
		claims jwt.MapClaims
		want   store.Role
	}{
		{"no group", jwt.MapClaims{}, ""},
		{"an unknown group", jwt.MapClaims{"groups": []string{"other"}}, ""},
		{"another domain", jwt.MapClaims{"groups": []string{"admins"}, "email": "anna@example.net"}, ""},
		{"a domain that ends alike", jwt.MapClaims{"groups": []string{"admins"}, "email": "anna@evil-example.com"}, ""},
		{"unverified", jwt.MapClaims{"groups": []string{"admins"}, "email_verified": "false"}, ""},
		{"support", jwt.MapClaims{"groups": []string{"other", "support"}, "email_verified": "true"}, store.RoleOperator},
		{"promoted", jwt.MapClaims{"groups": []string{"support", "admins"}}, store.RoleAdmin},
		{"demoted", jwt.MapClaims{"groups": "support"}, store.RoleOperator},
		{"left", jwt.MapClaims{"groups": []string{}}, ""},
	} {
		if got := role(tt.claims); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestOIDCProviderIsAway(t *testing.T) {
	d, i := newOIDCDesk(t, func(o *OIDC) { o.NoPassword = true })
	d.quick()
	d.user("anna@example.com", store.RoleAdmin, goodPassword)
	i.down = true
	if got := d.send("GET", "/admin/oidc/start", nil); got.StatusCode != http.StatusBadGateway {
		t.Errorf("down: got %d", got.StatusCode)
	}
	i.down = false
	i.meta = func(m map[string]any) { m["issuer"] = "https://evil.example" }
	if got := d.send("GET", "/admin/oidc/start", nil); got.StatusCode != http.StatusBadGateway {
		t.Errorf("another issuer in the metadata: got %d", got.StatusCode)
	}
	i.meta = nil
	if got := d.signInByOIDC(i); !signedIn(got) {
		t.Errorf("back again: got %d\n%s", got.StatusCode, got.body)
	}
	i.refuses = true
	if got := d.signInByOIDC(i); got.StatusCode != http.StatusBadGateway || strings.Contains(got.body, "PRIVATE") {
		t.Errorf("refused: got %d", got.StatusCode)
	}
	if got := d.login("anna@example.com", goodPassword); got.StatusCode != http.StatusForbidden {
		t.Errorf("by password, switched off: got %d", got.StatusCode)
	}
	if got := d.send("GET", "/admin/login", nil); strings.Contains(got.body, `type="password"`) || !strings.Contains(got.body, "Sign in with Example ID") {
		t.Errorf("the page: got\n%s", got.body)
	}
}

func TestOIDCSettings(t *testing.T) {
	good := OIDC{Issuer: "https://id.example.com/realm", ClientID: "desk"}
	if err := good.Check(); err != nil {
		t.Error(err)
	}
	for name, change := range map[string]func(*OIDC){
		"no issuer":    func(o *OIDC) { o.Issuer = "" },
		"plain http":   func(o *OIDC) { o.Issuer = "http://id.example.com" },
		"a query":      func(o *OIDC) { o.Issuer += "?x=1" },
		"a password":   func(o *OIDC) { o.Issuer = "https://a:b@id.example.com" },
		"no client":    func(o *OIDC) { o.ClientID = "" },
		"a wrong role": func(o *OIDC) { o.Role = "root" },
		"a wrong map":  func(o *OIDC) { o.Groups = map[string]store.Role{"a": "root"} },
	} {
		o := good
		change(&o)
		if o.Check() == nil {
			t.Errorf("%s passes", name)
		}
	}
	if subjectOf("a", "bc") == subjectOf("ab", "c") {
		t.Error("two accounts have one subject")
	}
}
