// Where the serving certificate is from: signed here by the shared authority, or a folder that somebody else fills.
import { followCertificate, type Source, type SourceOptions } from '../../certificates/source.ts'
import { systemClock } from '../../kube/clock.ts'
import { type WatchedObjects, watchObjects } from '../../kube/watch-objects.ts'
import { createWriter } from '../../kube/writer.ts'
import { rotationTimes, servingNames } from '../certificates.ts'
import type { Start } from '../start.ts'
import type { WebhookOptions } from '../webhook.ts'

const FILES_EVERY_MS = 10_000
/** Where the Deployment mounts the Secret, if there is one. */
const FOLDER = '/certs'

export async function followServing(
  { certs, clientCa }: WebhookOptions,
  { config, connection }: Start,
  own: Pick<SourceOptions, 'use' | 'log' | 'now'>,
): Promise<Source & Pick<WatchedObjects, 'kinds'>> {
  // Who names a folder means it.
  const isSelf = config.certificates.mode === 'self' && certs === undefined
  if (!isSelf) {
    const source = await followCertificate({ dir: certs ?? FOLDER, clientCa, everyMs: FILES_EVERY_MS, ...own })
    return { ...source, kinds: new Map() }
  }
  // It brings an ASN.1 library, which a folder has no use for.
  const { followShared } = await import('../../certificates/follow-shared.ts')
  const [clock, random] = [systemClock, Math.random]
  return followShared({
    writer: createWriter(connection),
    namespace: config.namespace,
    names: servingNames(config),
    clientCa,
    watch: (refs, changed) => watchObjects(connection, refs, changed, { clock, random, log: own.log }),
    ...{ clock, random },
    times: () => rotationTimes(config),
    ...own,
  })
}
