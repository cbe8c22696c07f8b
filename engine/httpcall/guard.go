package httpcall

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"time"
)

// guard makes connections to the public internet only.
type guard struct {
	lookup  func(ctx context.Context, host string) ([]netip.Addr, error)
	connect func(ctx context.Context, network, address string) (net.Conn, error)
}

func newGuard() *guard {
	dialer := &net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second}
	return &guard{
		lookup: func(ctx context.Context, host string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		},
		connect: dialer.DialContext,
	}
}

// dial resolves the host once and connects to one of its addresses, if every one
// of them may be called.
func (g *guard) dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, refused("the address cannot be read: %w", err)
	}
	addresses, err := g.resolve(ctx, host)
	if err != nil {
		return nil, err
	}
	var errs []error
	for _, a := range addresses {
		c, err := g.connect(ctx, network, net.JoinHostPort(a.String(), port))
		if err == nil {
			return c, nil
		}
		errs = append(errs, err)
	}
	return nil, errors.Join(errs...)
}

// resolve returns the addresses of a host; none of them is one that may not be
// called.
func (g *guard) resolve(ctx context.Context, host string) ([]netip.Addr, error) {
	addresses := []netip.Addr{}
	if literal, err := netip.ParseAddr(host); err == nil {
		addresses = append(addresses, literal)
	} else if addresses, err = g.lookup(ctx, host); err != nil {
		return nil, err
	}
	for _, a := range addresses {
		if err := checkAddress(a); err != nil {
			return nil, err
		}
	}
	if len(addresses) == 0 {
		return nil, errors.New("the host has no address")
	}
	return addresses, nil
}

// closed are the ranges that are not of the public internet, by the registries
// of special-purpose addresses of IANA, and the addresses by which Azure reaches
// its own machines.
var closed = prefixes(
	"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
	"192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24",
	"203.0.113.0/24", "224.0.0.0/3", "168.63.129.16/32",
	"::/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16",
	"3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
)

func prefixes(texts ...string) []netip.Prefix {
	var list []netip.Prefix
	for _, text := range texts {
		list = append(list, netip.MustParsePrefix(text))
	}
	return list
}

// checkAddress refuses an address that is not of the public internet.
func checkAddress(a netip.Addr) error {
	plain := a.Unmap().WithZone("")
	for _, prefix := range closed {
		if prefix.Contains(plain) {
			return refused("%s is not an address of the public internet", a)
		}
	}
	return nil
}
