package admin

// contactRoutes are the contacts, their cards and what people asked for.
func (s *Server) contactRoutes() []row {
	return nil
}
