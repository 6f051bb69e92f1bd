package admin

// contactRoutes are the contacts, their cards, and the addresses behind them.
// Addresses are named by their keys, so that none stands in a URL.
func (s *Server) contactRoutes() []row {
	const contact, address = "/admin/contacts/{id}", "/admin/addresses/{channel}/{key}"
	rows := []row{
		{method: get, path: "/admin/contacts", role: viewer, handler: s.showContacts},
		{method: post, path: "/admin/contacts/search", role: viewer, handler: s.search, asks: true},
		{method: get, path: "/admin/contacts/new", role: operator, handler: s.showNewContact},
		{method: post, path: "/admin/contacts", role: operator, handler: s.addContact, audit: "contact.add"},
		{method: get, path: contact, role: viewer, handler: s.showContact},
		{method: get, path: contact + "/edit", role: operator, handler: s.showEditContact},
		{method: post, path: contact, role: operator, handler: s.editContact, audit: "contact.edit"},
		{method: get, path: contact + "/erase", role: admin, handler: s.showEraseContact},
		{method: post, path: contact + "/erase", role: admin, handler: s.eraseContact, audit: "contact.erase"},

		{method: post, path: "/admin/addresses", role: operator, handler: s.addAddress, audit: "address.opt_out"},
		{method: get, path: address, role: viewer, handler: s.showAddress},
		{method: post, path: address + "/opted-out", role: operator, handler: s.setOptedOut, audit: "address.opt_out"},
		{method: get, path: address + "/opt-in", role: operator, handler: s.showAct(optIn)},
		{method: post, path: address + "/opt-in", role: operator, handler: s.act(optIn), audit: "address.opt_in"},
		{method: get, path: address + "/block", role: operator, handler: s.showAct(block)},
		{method: post, path: address + "/block", role: operator, handler: s.act(block), audit: "address.block"},
		{method: get, path: address + "/unblock", role: operator, handler: s.showAct(unblock)},
		{method: post, path: address + "/unblock", role: operator, handler: s.act(unblock), audit: "address.unblock"},
		{method: get, path: address + "/erase", role: admin, handler: s.showAct(erase)},
		{method: post, path: address + "/erase", role: admin, handler: s.act(erase), audit: "erase"},
	}
	for i := range rows {
		rows[i].nav = "Contacts"
	}
	return rows
}
