// `portcullis certs`: makes development certificates in a folder, unless good ones are there, and what applies them to a
// cluster together with the manifests.
import { ensureCertificates, LOCAL_NAMES } from '../certificates/files.ts'
import { SERVICE_NAME, writeOverlay } from '../certificates/overlay.ts'
import { type Io, OK } from './io.ts'

export type CertsOptions = { readonly dir: string; readonly name?: readonly string[] }

/** In the folder where the command is given: that of the checkout. */
const MANIFESTS = 'manifests'

export async function certs({ dir, name = [] }: CertsOptions, { out }: Io): Promise<number> {
  const { madeBecause } = await ensureCertificates(dir, [...LOCAL_NAMES, SERVICE_NAME, ...name], new Date())
  if (madeBecause === undefined) out(`the certificates in ${dir} are good; nothing was changed\n`)
  else out(`made ca.crt, tls.crt and tls.key in ${dir}, because ${madeBecause}\n`)
  await writeOverlay(dir, MANIFESTS)
  return OK
}
