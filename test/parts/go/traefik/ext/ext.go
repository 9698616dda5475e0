// Package ext holds what editions other than the open one add to routers. Traefik keeps it in a module nested in its
// own, which a module's zip leaves out, and replaces it by that folder; here it is replaced by this one.
package ext

type HTTP struct{}

type Router struct{}
