package handlers

import (
	_ "embed" // the document below

	"github.com/gofiber/fiber/v2"
)

// OpenAPI is the description of the JSON API, OpenAPI 3.1 in YAML.
//
//go:embed openapi.yaml
var OpenAPI []byte

func (s *Server) openAPI(c *fiber.Ctx) error {
	c.Set(fiber.HeaderContentType, "application/yaml") // RFC 9512
	c.Set(fiber.HeaderCacheControl, "public, max-age=300")
	c.Context().Response.SetBody(OpenAPI)
	return nil
}
