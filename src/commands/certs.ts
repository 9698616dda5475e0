// `portcullis certs`: makes development certificates in a folder, unless good ones are there, and what applies them to a
// cluster together with the manifests.
import { isIP } from 'node:net'
import { ensureCertificates, LOCAL_NAMES } from '../certificates/files.ts'
import { SERVICE_NAME, writeOverlay } from '../certificates/overlay.ts'
import { type Io, OK, USAGE } from './io.ts'

export type CertsOptions = { readonly dir: string; readonly name?: readonly string[] }

/** In the folder where the command is given: that of the checkout. */
const MANIFESTS = 'manifests'

/** Anything else can stand in a certificate, and nobody would ever be served by it. */
const DNS_NAME = /^(\*\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/i

export async function certs({ dir, name = [] }: CertsOptions, { out, err }: Io): Promise<number> {
  const wrong = name.filter(each => isIP(each) === 0 && !DNS_NAME.test(each))
  for (const each of wrong) err(`--name ${JSON.stringify(each)} is neither a DNS name nor an IP address\n`)
  if (wrong.length > 0) return USAGE
  const { madeBecause } = await ensureCertificates(dir, [...LOCAL_NAMES, SERVICE_NAME, ...name], new Date())
  if (madeBecause === undefined) out(`the certificates in ${dir} are good; nothing was changed\n`)
  else out(`made ca.crt, tls.crt and tls.key in ${dir}, because ${madeBecause}\n`)
  await writeOverlay(dir, MANIFESTS)
  return OK
}
