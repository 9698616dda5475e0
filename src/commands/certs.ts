// `portcullis certs`: makes development certificates in a folder, unless good ones are there.
import { ensureCertificates, LOCAL_NAMES } from '../certificates/files.ts'
import { type Io, OK } from './io.ts'

export type CertsOptions = { readonly dir: string; readonly name?: readonly string[] }

export async function certs({ dir, name = [] }: CertsOptions, { out }: Io): Promise<number> {
  const { madeBecause } = await ensureCertificates(dir, [...LOCAL_NAMES, ...name], new Date())
  if (madeBecause === undefined) out(`the certificates in ${dir} are good; nothing was changed\n`)
  else out(`made ca.crt, tls.crt and tls.key in ${dir}, because ${madeBecause}\n`)
  return OK
}
