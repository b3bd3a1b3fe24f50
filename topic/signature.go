package topic

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"math/big"
	"strings"
	"sync"
	"time"
)

// signer is the key that envelopes are signed with, and its certificate.
type signer struct {
	key *rsa.PrivateKey
	pem []byte
}

// certificatePath has a name of its own, so that an envelope without a signature needs no key.
var certificatePath = sync.OnceValue(func() string {
	name := make([]byte, 16)
	rand.Read(name)
	return "/SimpleNotificationService-" + hex.EncodeToString(name) + ".pem"
})

// theSigner is made when it is first needed: that takes a tenth of a second, and most programs sign
// nothing. All accounts of a process share it.
var theSigner = sync.OnceValue(func() *signer {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic("bug: no RSA key: " + err.Error())
	}
	certificate := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: "sns.local", Organization: []string{"inq"}},
		// It holds at any time that a program or a test can think it is.
		NotBefore: time.Date(1990, 1, 1, 0, 0, 0, 0, time.UTC),
		NotAfter:  time.Date(2149, 12, 31, 0, 0, 0, 0, time.UTC),
		KeyUsage:  x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, certificate, certificate, &key.PublicKey, key)
	if err != nil {
		panic("bug: no certificate: " + err.Error())
	}
	return &signer{key: key, pem: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})}
})

// CertificatePath is where the certificate is found below the base URL (SNS: SIG-3). It is another in
// each process.
func CertificatePath() string { return certificatePath() }

// Certificate returns the certificate of the key that envelopes are signed with, in PEM. It was made
// for this process and is signed by nobody else (SNS: SIG-3, SIG-4). The first call, or the first
// signature, takes a tenth of a second, in which the key is made.
func Certificate() []byte { return append([]byte(nil), theSigner().pem...) }

// sign signs fields, given as names and values in order, those without a value left out (SNS: SIG-1,
// SIG-2).
func sign(version string, fields ...string) string {
	var b strings.Builder
	for i := 0; i < len(fields); i += 2 {
		if fields[i+1] != "" || fields[i] == "Message" {
			b.WriteString(fields[i] + "\n" + fields[i+1] + "\n")
		}
	}
	s := theSigner()
	hash, digest := crypto.SHA1, []byte(nil)
	if version == "2" {
		sum := sha256.Sum256([]byte(b.String()))
		hash, digest = crypto.SHA256, sum[:]
	} else {
		sum := sha1.Sum([]byte(b.String()))
		digest = sum[:]
	}
	signature, err := rsa.SignPKCS1v15(nil, s.key, hash, digest)
	if err != nil {
		panic("bug: cannot sign: " + err.Error())
	}
	return base64.StdEncoding.EncodeToString(signature)
}
