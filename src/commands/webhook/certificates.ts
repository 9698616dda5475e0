// Where the serving certificate is from: signed here by the shared authority, or a folder that somebody else fills.
import { followCertificate, type Source, type SourceOptions } from '../../certificates/source.ts'
import { createWriter } from '../../kube/writer.ts'
import { rotationTimes, servingNames } from '../certificates.ts'
import type { Start } from '../start.ts'
import type { WebhookOptions } from '../webhook.ts'

const FILES_EVERY_MS = 10_000
/** Soon enough for a Secret that was lost, and for an authority that others sign with already. */
const SECRET_EVERY_MS = 2_000
/** Where the Deployment mounts the Secret, if there is one. */
const FOLDER = '/certs'

export async function followServing(
  { certs, clientCa }: WebhookOptions,
  { config, connection }: Start,
  own: Pick<SourceOptions, 'use' | 'log' | 'now'>,
): Promise<Source> {
  // Who names a folder means it.
  const isSelf = config.certificates.mode === 'self' && certs === undefined
  if (!isSelf) return followCertificate({ dir: certs ?? FOLDER, clientCa, everyMs: FILES_EVERY_MS, ...own })
  // It brings an ASN.1 library, which a folder has no use for.
  const { followShared } = await import('../../certificates/follow-shared.ts')
  return followShared({
    writer: createWriter(connection),
    namespace: config.namespace,
    names: servingNames(config),
    clientCa,
    everyMs: SECRET_EVERY_MS,
    times: () => rotationTimes(config),
    ...own,
  })
}
