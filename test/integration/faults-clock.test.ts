// The clock of one of our pods jumps, while the API server's and everybody else's are right: no request fails for it.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { array, object } from '../../src/core/json.ts'
import { describeWithParts } from '../parts/require.ts'
import { until } from './api.ts'
import { review } from './direct-review.ts'
import { labelled, unlabelled } from './faults.ts'
import type { Replica } from './installed.ts'
import { failed, figures, startLoad, texts, unprotected } from './load.ts'
import { applied } from './objects.ts'
import type { Pod } from './pods.ts'
import { startWhole, type WholeCluster, wholeParts } from './whole-cluster.ts'

const SKEWED = join(import.meta.dirname, 'skewed.ts')
const PER_SECOND = 30
/** Several looks at the Secret. */
const MEANWHILE_MS = 5_000
const CONFIGURATION = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/portcullis'
const HOUR = 3_600_000
const DAY = 24 * HOUR

describeWithParts('a clock that jumps', wholeParts, () => {
  let cluster: WholeCluster
  let replica: Replica
  let controller: Pod
  const files = { replica: '', controller: '' }

  const listenerOf = async ({ host }: Replica) => {
    const { body } = await cluster.api.send('GET', CONFIGURATION)
    const { caBundle } = object(object(array(body.webhooks)[0]).clientConfig)
    const ca = Buffer.from(String(caBundle), 'base64').toString()
    return { host, port: 10_250, servername: 'portcullis-webhook.portcullis.svc', ca }
  }
  /** What a pod's clock says beyond what is right. */
  const jump = (pod: Pod, file: string, ms: number) => {
    writeFileSync(file, String(ms))
    process.kill(pod.part.pid, 'SIGUSR2')
  }
  const skewable = (name: keyof typeof files) => {
    files[name] = join(cluster.controlPlane.dir, `skew-${name}`)
    writeFileSync(files[name], '0')
    return { flags: ['--import', SKEWED], env: { PORTCULLIS_SKEW_FILE: files[name] } }
  }

  beforeAll(async () => {
    cluster = await startWhole(1)
    replica = await cluster.installed.start(skewable('replica'))
    await cluster.controllers[0]?.terminate()
    controller = await cluster.installed.startController(skewable('controller'))
    for (const each of [replica, controller]) await each.ready()
    await until('it leads', async () => (await controller.metric('portcullis_leader')) === 1)
    await until('it has looked', async () => (await controller.metric('portcullis_ca_bundle_matches')) === 1)
  }, 300_000)

  afterAll(() => cluster?.stop(), 60_000)

  const cases: [keyof typeof files, string, number][] = [
    ['replica', 'half an hour ahead', HOUR / 2],
    ['replica', 'half an hour back', -HOUR / 2],
    ['replica', 'five months ahead', 150 * DAY],
    ['replica', 'five months back', -150 * DAY],
    ['controller', 'eleven months ahead', 330 * DAY],
    ['controller', 'eleven months back', -330 * DAY],
  ]
  test.each(cases)(
    'of a %s, %s, and right again: no request fails, and what the replica shows is accepted',
    async (who, words, ms) => {
      const pod = who === 'replica' ? replica : controller
      const load = startLoad(cluster.controlPlane, {
        perSecond: PER_SECOND,
        route: turn => (turn % 2 === 0 ? labelled : unlabelled)(`${who}-${turn}`),
        isDryRun: () => true,
      })
      const shown = () => replica.log().split('"certificate in use"').length
      const before = [shown(), (await listenerOf(replica)).ca]
      for (const wrong of [ms, 0]) {
        jump(pod, files[who], wrong)
        await sleep(MEANWHILE_MS)
        // On a connection of its own: those of the API server stay as long as they are used.
        expect(await review(await listenerOf(replica), 'mutate', labelled('probe'))).toMatchObject({ status: 200 })
        expect(await replica.health('/readyz')).toMatchObject({ status: 200 })
      }
      // By a pod's own clock, what there is may have expired, be due, or not be valid yet; by the API server's it is good.
      expect([shown(), (await listenerOf(replica)).ca]).toEqual(before)
      const sent = await load.stop()
      process.stdout.write(figures(`${who} ${words}`, sent))
      process.stdout.write(`${texts(sent).join('\n')}\n`)
      expect(failed(sent).map(({ message }) => message)).toEqual([])
      expect(unprotected(sent)).toEqual([])
      expect(pod.part.hasEnded()).toBe(false)
    },
    60_000,
  )

  test('of the replica, five months ahead: an exemption that has time left is in force all the same', async () => {
    const strict = { name: 'strict', labels: { 'auth.example/require': 'enforce' } }
    await applied(cluster.controlPlane, { apiVersion: 'v1', kind: 'Namespace', metadata: strict })
    const route = { ...unlabelled('open'), metadata: { namespace: 'strict', name: 'open' } }
    const mayBeOpen = async () => {
      const { text } = await review(await listenerOf(replica), 'validate', route)
      return object(JSON.parse(text).response).allowed === true
    }
    await until('a login is required', async () => !(await mayBeOpen()))
    const spec = {
      route: { kind: 'Ingress', ...route.metadata },
      hosts: ['open.example.org'],
      reason: 'a test',
      expires: new Date(Date.now() + DAY).toISOString(),
    }
    const exemption = { apiVersion: 'auth.example/v1alpha1', kind: 'AuthExemption', metadata: { name: 'open' }, spec }
    expect(await cluster.api.create(exemption)).toMatchObject({ status: 201 })
    await until('it is exempt', mayBeOpen)
    jump(replica, files.replica, 150 * DAY)
    await sleep(MEANWHILE_MS)
    // Until the API server's next answer says what time it is.
    await until('it is exempt still', mayBeOpen)
    jump(replica, files.replica, 0)
  }, 240_000)
})
