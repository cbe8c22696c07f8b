package main

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// callerOf returns the address that a request comes from, or "". Behind App Service
// it is the last that X-Forwarded-For names, which the platform adds; those before
// are what the caller says. A network of IPv6 counts as one, as whoever has one
// address of it has all.
func callerOf(req *http.Request, behindProxy bool) string {
	text := req.RemoteAddr
	if behindProxy {
		all := strings.Split(strings.Join(req.Header.Values("X-Forwarded-For"), ","), ",")
		text = strings.TrimSpace(all[len(all)-1])
	}
	if host, _, err := net.SplitHostPort(text); err == nil {
		text = host
	}
	address, err := netip.ParseAddr(strings.Trim(text, "[]"))
	if err != nil {
		return ""
	}
	address = address.Unmap()
	if address.Is4() {
		return address.String()
	}
	network, err := address.WithZone("").Prefix(64)
	if err != nil {
		return ""
	}
	return network.String()
}
