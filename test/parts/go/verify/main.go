// Verifies certificates as an API server does: verify BUNDLE NAME LEAF...; says what is wrong of the first that it rejects.
package main

import (
	"crypto/x509"
	"encoding/pem"
	"log"
	"os"
)

func main() {
	log.SetFlags(0)
	roots, read := x509.NewCertPool(), func(file string) []byte { text, _ := os.ReadFile(file); return text }
	if !roots.AppendCertsFromPEM(read(os.Args[1])) {
		log.Fatal("no authority in ", os.Args[1])
	}
	for _, file := range os.Args[3:] {
		block, _ := pem.Decode(read(file))
		leaf, err := x509.ParseCertificate(block.Bytes)
		if err == nil {
			_, err = leaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: os.Args[2]})
		}
		if err != nil {
			log.Fatal(file, ": ", err)
		}
	}
}
