// Authorities that follow each other within seconds rather than a year, on a real API server and under load: at every moment
// whoever asks a replica trusts what it shows.
import { X509Certificate } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { authoritiesIn } from '../../src/certificates/authorities.ts'
import { trustedBy } from '../../src/certificates/ca-bundles.ts'
import type { KubeObject } from '../../src/core/types.ts'
import { describeWithParts } from '../parts/require.ts'
import { until } from './api.ts'
import { auditedParts } from './audited-cluster.ts'
import { labelled, TEAM, unlabelled } from './faults.ts'
import { failed, figures, startLoad, texts, unprotected } from './load.ts'
import type { Pod } from './pods.ts'
import { type SelfCluster, startSelfCluster } from './self-cluster.ts'

/** The next authority is made after 32 seconds, a leaf after 10: the proportions are those of a year and a week, or tighter. */
const FAST = { mode: 'self', authoritySeconds: 48, leafSeconds: 16, overlapSeconds: 5 }
const ROTATIONS = 3
const WITHIN_MS = 240_000
const PER_SECOND = 30

describeWithParts('authorities that follow each other', auditedParts, () => {
  let cluster: SelfCluster
  let controller: Pod

  beforeAll(async () => {
    cluster = await startSelfCluster()
    const { installed, api } = cluster
    const config = { certificates: FAST } as unknown as KubeObject
    const webhooks = await Promise.all([installed.start({ config }), installed.start({ config })])
    controller = await installed.startController({ config })
    await Promise.all([...webhooks, controller].map(each => each.ready()))
    await until('a team is admitted', async () => (await api.create(TEAM)).status === 201)
    await cluster.serves()
  }, 240_000)

  afterAll(() => cluster?.stop(), 60_000)

  const done = async (step: string) =>
    (await controller.metric(`portcullis_authority_changes_total{step="${step}"}`)) || 0

  test(
    `do so ${ROTATIONS} times under load, and no request fails`,
    async () => {
      const before = await done('promote')
      const load = startLoad(cluster.controlPlane, {
        perSecond: PER_SECOND,
        route: turn => (turn % 2 === 0 ? labelled(`turn-${turn}`) : unlabelled(`turn-${turn}`)),
        isDryRun: turn => turn % 10 > 0,
      })
      const seen = { most: 0, issuers: new Set<string>() }
      await until(
        'rotations',
        async () => {
          // Each by itself: between the writes of one and of the other they differ.
          for (const each of await cluster.configurations()) {
            const bundle = authoritiesIn(trustedBy([each]))
            seen.most = Math.max(seen.most, bundle.length)
            for (const cert of bundle) seen.issuers.add(new X509Certificate(cert).subject)
          }
          return (await done('promote')) - before >= ROTATIONS && (await done('prune')) >= ROTATIONS - 1
        },
        WITHIN_MS,
      ).finally(() => load.stop())
      const sent = await load.stop()
      process.stdout.write(figures(`${ROTATIONS} rotations`, sent))
      process.stdout.write(`${texts(sent).join('\n')}\n`)
      expect(failed(sent)).toEqual([])
      expect(unprotected(sent)).toEqual([])
      expect(seen.most).toBeLessThanOrEqual(3)
      expect(seen.issuers.size).toBeGreaterThan(ROTATIONS)
    },
    WITHIN_MS + 60_000,
  )
})
