// One certificate and the key pair that it is for, with what RFC 5280 wants of each. Node makes the keys and signs.
import { createHash, generateKeyPair, randomBytes, sign, X509Certificate } from 'node:crypto'
import { promisify } from 'node:util'
import { AsnConvert, OctetString } from '@peculiar/asn1-schema'
import {
  AlgorithmIdentifier,
  AttributeTypeAndValue,
  AttributeValue,
  AuthorityKeyIdentifier,
  Certificate,
  Extension,
  Extensions,
  id_ce_authorityKeyIdentifier,
  id_ce_subjectKeyIdentifier,
  KeyIdentifier,
  Name,
  RelativeDistinguishedName,
  SubjectKeyIdentifier,
  SubjectPublicKeyInfo,
  TBSCertificate,
  Validity,
  Version,
} from '@peculiar/asn1-x509'
import { type Pair, pem } from './pem.ts'

export type Contents = {
  readonly commonName: string
  readonly notBefore: Date
  readonly notAfter: Date
  /** Beside the identifiers of keys, which every certificate has. */
  readonly extensions: readonly Extension[]
}

const COMMON_NAME = '2.5.4.3'
const ECDSA_WITH_SHA256 = '1.2.840.10045.4.3.2'
/** Of 20 that a serial number may have. */
const SERIAL_BYTES = 16

/** `by`: whoever signs; absent: its own key. */
export async function makeCertificate({ commonName, extensions, ...period }: Contents, by?: Pair): Promise<Pair> {
  const { publicKey, privateKey } = await promisify(generateKeyPair)('ec', { namedCurve: 'P-256' })
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' })
  const subjectPublicKeyInfo = AsnConvert.parse(publicKey.export({ type: 'spki', format: 'der' }), SubjectPublicKeyInfo)
  const own = { name: nameOf(commonName), keyIdentifier: identifierOf(subjectPublicKeyInfo) }
  const issuer = by === undefined ? own : issuerOf(by.cert)
  const signatureAlgorithm = new AlgorithmIdentifier({ algorithm: ECDSA_WITH_SHA256 })
  const tbsCertificate = new TBSCertificate({
    version: Version.v3,
    serialNumber: serialNumber(),
    signature: signatureAlgorithm,
    issuer: issuer.name,
    validity: new Validity(period),
    subject: own.name,
    subjectPublicKeyInfo,
    extensions: new Extensions([
      ...extensions,
      extension(id_ce_subjectKeyIdentifier, new SubjectKeyIdentifier(own.keyIdentifier)),
      extension(id_ce_authorityKeyIdentifier, new AuthorityKeyIdentifier({ keyIdentifier: issuer.keyIdentifier })),
    ]),
  })
  const signatureValue = sign('sha256', Buffer.from(AsnConvert.serialize(tbsCertificate)), by?.key ?? privateKey)
  const der = AsnConvert.serialize(
    new Certificate({ tbsCertificate, signatureAlgorithm, signatureValue: bytes(signatureValue) }),
  )
  return { cert: pem(new X509Certificate(Buffer.from(der)).toString()), key: pem(key) }
}

export function extension(extnID: string, value: unknown, critical = false): Extension {
  return new Extension({ extnID, critical, extnValue: new OctetString(AsnConvert.serialize(value)) })
}

/** Of an issuer that has no identifier in its certificate nobody compares it. */
function issuerOf(cert: string): { name: Name; keyIdentifier: KeyIdentifier } {
  const { subject, subjectPublicKeyInfo, extensions } = AsnConvert.parse(
    new X509Certificate(cert).raw,
    Certificate,
  ).tbsCertificate
  const told = extensions?.find(({ extnID }) => extnID === id_ce_subjectKeyIdentifier)?.extnValue
  const keyIdentifier =
    told === undefined ? identifierOf(subjectPublicKeyInfo) : AsnConvert.parse(told.buffer, SubjectKeyIdentifier)
  return { name: subject, keyIdentifier }
}

/** RFC 7093, section 2, method 1: RFC 5280 hashes with SHA-1, which some machines forbid. */
function identifierOf({ subjectPublicKey }: SubjectPublicKeyInfo): KeyIdentifier {
  const hash = createHash('sha256').update(Buffer.from(subjectPublicKey)).digest()
  return new KeyIdentifier(bytes(hash.subarray(0, 20)))
}

/** The first byte is from 0x40 to 0x7f: a positive number without a zero before it, of one length. */
function serialNumber(): ArrayBuffer {
  const random = randomBytes(SERIAL_BYTES)
  random.writeUInt8((random.readUInt8() & 0x3f) | 0x40)
  return bytes(random)
}

function nameOf(commonName: string): Name {
  const value = new AttributeValue({ utf8String: commonName })
  return new Name([new RelativeDistinguishedName([new AttributeTypeAndValue({ type: COMMON_NAME, value })])])
}

/** A Buffer may be a window of a larger one. */
function bytes(of: Buffer): ArrayBuffer {
  return new Uint8Array(of).buffer
}
