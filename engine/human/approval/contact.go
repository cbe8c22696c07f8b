package approval

import (
	"cmp"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Contact is what is known of a person besides the id.
type Contact struct {
	// Name is what people call the person.
	Name string `json:"name,omitempty"`
	// Phone is the person's own, in E.164 form, such as +447700900123. It gets
	// one-time codes, and messages where there is no e-mail address.
	Phone string `json:"phone,omitempty"`
	// Email is the person's address.
	Email string `json:"email,omitempty"`
}

var e164 = regexp.MustCompile(`^\+[1-9][0-9]{7,14}$`)

// Contact returns what is known of a person. An id that is a phone number or an
// e-mail address is that of the person, unless the policy has another.
func (p *Policy) Contact(id string) Contact {
	var found Contact
	for _, name := range slices.Sorted(maps.Keys(p.People)) {
		if key(name) == key(id) {
			found = p.People[name]
		}
	}
	switch {
	case e164.MatchString(id):
		found.Phone = cmp.Or(found.Phone, id)
	case strings.Contains(id, "@"):
		found.Email = cmp.Or(found.Email, id)
	}
	return found
}

// contacts checks what is known of people.
func (c *checks) contacts() {
	seen := map[string]bool{}
	for _, id := range slices.Sorted(maps.Keys(c.policy.People)) {
		field, contact := join("people", id), c.policy.People[id]
		c.person(field, id)
		if seen[key(id)] {
			c.add(field, "is there twice, in upper and in lower case: keep one of them")
		}
		seen[key(id)] = true
		if contact.Name != "" {
			c.name(field+".name", contact.Name)
		}
		if contact.Phone != "" && !e164.MatchString(contact.Phone) {
			c.addf(field+".phone", "is %q: write a phone number in international form, such as +447700900123", contact.Phone)
		}
		if contact.Email != "" {
			c.person(field+".email", contact.Email)
			if !strings.Contains(contact.Email, "@") {
				c.addf(field+".email", "is %q: write an e-mail address", contact.Email)
			}
		}
	}
}

// phones checks that everybody has a phone who is to be sent a code.
func (c *checks) phones(field string, ids []string) {
	for _, id := range ids {
		if c.policy.Contact(id).Phone == "" {
			c.addf(field+".code", "needs the phone of %s: add it to people", id)
		}
	}
}

// SamePerson reports whether two ids are of one person.
func SamePerson(a, b string) bool { return key(a) == key(b) }
