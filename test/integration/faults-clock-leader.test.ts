// Who leads has a clock that is months wrong, from the start, and so has one of two replicas: what they make is for the API
// server's time, through a rotation. A next authority that is due by the wrong clock, or made for it, would be refused.
import { X509Certificate } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals'
import { authoritiesIn, bundleOf } from '../../src/certificates/authorities.ts'
import type { KubeObject } from '../../src/core/types.ts'
import { describeWithParts } from '../parts/require.ts'
import { until } from './api.ts'
import { auditedParts } from './audited-cluster.ts'
import { review } from './direct-review.ts'
import { labelled, TEAM, unlabelled } from './faults.ts'
import type { Replica } from './installed.ts'
import { failed, figures, startLoad, texts, unprotected } from './load.ts'
import type { Pod } from './pods.ts'
import { type SelfCluster, startSelfCluster } from './self-cluster.ts'

const SKEWED = join(import.meta.dirname, 'skewed.ts')
/** The next authority is made after 32 seconds, a leaf after 10. */
const FAST = { mode: 'self', authoritySeconds: 48, leafSeconds: 16, overlapSeconds: 5 }
const MINUTE = 60_000
const MONTHS = 150 * 24 * 60 * MINUTE
const PER_SECOND = 20

describeWithParts('a leader whose clock is wrong', auditedParts, () => {
  let cluster: SelfCluster
  let right: Replica
  const started: Pod[] = []

  const config = { certificates: FAST } as unknown as KubeObject
  const skewedBy = (ms: number) => {
    const file = join(cluster.controlPlane.dir, `skew-${ms}`)
    writeFileSync(file, String(ms))
    return { config, flags: ['--import', SKEWED], env: { PORTCULLIS_SKEW_FILE: file } }
  }
  /** On a connection of its own: those of the API server stay as long as they are used. */
  const statusOf = async ({ host }: Replica) => {
    const ca = bundleOf(await cluster.authorities())
    const listener = { host, port: 10_250, servername: 'portcullis-webhook.portcullis.svc', ca }
    return (await review(listener, 'mutate', labelled('probe'))).status
  }

  beforeAll(async () => {
    cluster = await startSelfCluster()
    right = await cluster.installed.start({ config })
  }, 240_000)

  afterEach(async () => void (await Promise.all(started.splice(0).map(each => each.terminate()))), 60_000)
  afterAll(() => cluster?.stop(), 60_000)

  test.each([
    ['five months ahead', MONTHS],
    ['five months behind', -MONTHS],
  ])(
    '%s makes authorities and has them follow each other, and no request fails',
    async (words, ms) => {
      const { api, controlPlane, installed } = cluster
      const [leader, wrong] = await Promise.all([
        installed.startController(skewedBy(ms)),
        installed.start(skewedBy(ms)),
      ])
      started.push(leader, wrong)
      for (const each of [leader, wrong, right]) await each.ready()
      await until('it leads', async () => (await leader.metric('portcullis_leader')) === 1)
      await until('a team is there', async () => [201, 409].includes((await api.create(TEAM)).status))
      await cluster.serves()
      const load = startLoad(controlPlane, {
        perSecond: PER_SECOND,
        route: turn => (turn % 2 === 0 ? labelled(`turn-${turn}`) : unlabelled(`turn-${turn}`)),
        isDryRun: () => true,
      })
      const promoted = () => leader.metric('portcullis_authority_changes_total{step="promote"}')
      await until('a rotation', async () => (await promoted()) >= 1, 2 * MINUTE).finally(() => load.stop())
      const sent = await load.stop()
      process.stdout.write(`${figures(words, sent)}${texts(sent).join('\n')}\n`)
      expect(failed(sent)).toEqual([])
      expect(unprotected(sent)).toEqual([])
      for (const each of [right, wrong]) {
        expect(await statusOf(each)).toBe(200)
        expect(await each.health('/readyz')).toMatchObject({ status: 200 })
      }
      for (const cert of authoritiesIn(bundleOf(await cluster.authorities()))) {
        const { validFromDate, validToDate } = new X509Certificate(cert)
        expect(validFromDate.getTime()).toBeLessThan(Date.now())
        expect(Math.abs(validToDate.getTime() - Date.now())).toBeLessThan(5 * MINUTE)
      }
    },
    5 * MINUTE,
  )
})
