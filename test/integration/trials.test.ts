// The trial on a real API server: whatever keeps routes from being judged is said, and so is its end. The pauses between
// trials are a twentieth of what they are; certificates-self.test.ts has the metric, the Event and the condition.
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals'
import { createAuthority } from '../../src/certificates/authority.ts'
import { keepTrying, type Trials } from '../../src/commands/controller/trials.ts'
import { array, object } from '../../src/core/json.ts'
import type { KubeObject } from '../../src/core/types.ts'
import { systemClock } from '../../src/kube/clock.ts'
import { type Connection, connect } from '../../src/kube/connection.ts'
import { createWriter } from '../../src/kube/writer.ts'
import { documents } from '../manifests/documents.ts'
import { describeWithParts } from '../parts/require.ts'
import { pathOf, until } from './api.ts'
import type { Replica } from './installed.ts'
import { type InstalledCluster, installedParts, startInstalled } from './installed-cluster.ts'
import { succeeds } from './objects.ts'

const FASTER = 20
const clock = { ...systemClock, after: (ms: number, run: () => void) => systemClock.after(ms / FASTER, run) }
const VALIDATING = documents.find(each => each.kind === 'ValidatingWebhookConfiguration') as KubeObject

const NOBODY = { objectSelector: { matchLabels: { nobody: 'has-this' } } }

describeWithParts('the trial', installedParts, () => {
  let cluster: InstalledCluster
  let connection: Connection
  let trials: Trials
  let good: KubeObject
  const end = new AbortController()
  const results: string[] = []
  const failures: { readonly kind: string; readonly uid: unknown; readonly message: string }[] = []

  /** Each entry of what asks before something is stored. */
  const entries = async (change: (entry: Readonly<Record<string, unknown>>) => object) => {
    const { body } = await cluster.api.send('GET', pathOf(VALIDATING))
    const webhooks = array(body.webhooks).map(each => ({ ...object(each), ...change(object(each)) }))
    expect(await cluster.api.send('PUT', pathOf(VALIDATING), { ...body, webhooks })).toMatchObject({ status: 200 })
  }
  /** As it was installed. */
  const putBack = async () => {
    const { status } = await cluster.api.send('GET', pathOf(VALIDATING))
    const { apiVersion, kind, metadata, webhooks } = good
    const document = { apiVersion, kind, metadata: { name: metadata.name, labels: metadata.labels }, webhooks }
    if (status === 404) expect(await cluster.api.create(document)).toMatchObject({ status: 201 })
    else
      await entries(
        each =>
          array(webhooks)
            .map(object)
            .find(({ name }) => name === each.name) ?? {},
      )
  }
  const withBundle = (caBundle: string) => (entry: Readonly<Record<string, unknown>>) => ({
    clientConfig: { ...object(entry.clientConfig), caBundle },
  })
  const judged = (withinMs?: number) =>
    until('it is judged', () => results.at(-1) === 'judged' && trials.problem() === undefined, withinMs)

  beforeAll(async () => {
    cluster = await startInstalled()
    good = (await cluster.api.send('GET', pathOf(VALIDATING))).body as unknown as KubeObject
    // With the rights that the controller has.
    connection = await connect(join(cluster.controlPlane.dir, 'kubeconfig-portcullis-controller'))
    const quiet = () => {}
    trials = keepTrying({
      ...{ connection, writer: createWriter(connection), namespace: 'portcullis', clock, signal: end.signal },
      log: { info: quiet, warn: quiet, error: quiet },
      tried: result => results.push(result),
      failed: ({ kind, metadata }, message) => failures.push({ kind, uid: metadata.uid, message }),
    })
  }, 240_000)

  beforeEach(() => {
    failures.length = 0
  })

  afterAll(async () => {
    end.abort()
    await trials?.ended
    connection?.close()
    await cluster?.stop()
  }, 60_000)

  test('is refused by us, again and again, and leaves nothing behind', async () => {
    await judged()
    const before = results.length
    await until('it is tried again', () => results.length > before + 2)
    expect(new Set(results)).toEqual(new Set(['judged']))
    expect(failures).toEqual([])
    expect(await succeeds(cluster.controlPlane, ['get', 'ingresses', '-A', '-o', 'name'])).toBe('')
  }, 60_000)

  const faults: [string, () => Promise<unknown>, RegExp][] = [
    [
      'a caBundle of another authority',
      async () => entries(withBundle(Buffer.from((await createAuthority(new Date())).cert).toString('base64'))),
      /failed calling webhook "validate.auth.example".*x509/,
    ],
    [
      'a caBundle of another authority, and going on without an answer',
      async () => {
        const { cert } = await createAuthority(new Date())
        await entries(entry => ({
          ...withBundle(Buffer.from(cert).toString('base64'))(entry),
          failurePolicy: 'Ignore',
        }))
      },
      /injected\.auth\.example/,
    ],
    [
      'rules that leave routes out',
      async () => {
        const rule = { apiGroups: [''], apiVersions: ['v1'], resources: ['configmaps'], operations: ['CREATE'] }
        await entries(() => ({ rules: [rule] }))
      },
      /injected\.auth\.example/,
    ],
    [
      'a selector that leaves our namespace in and all routes out',
      () => entries(() => NOBODY),
      /injected\.auth\.example/,
    ],
    [
      'no configuration at all',
      () => succeeds(cluster.controlPlane, ['delete', 'validatingwebhookconfiguration', 'portcullis']),
      /there is no ValidatingWebhookConfiguration portcullis/,
    ],
    [
      'no replica',
      () => Promise.all(cluster.installed.replicas.map(each => (each as Replica).kill())),
      /failed calling webhook "validate.auth.example"/,
    ],
    [
      'such a selector, and no policy that steps in',
      async () => {
        const ours = ['-l', 'app.kubernetes.io/name=portcullis']
        await succeeds(cluster.controlPlane, ['delete', 'validatingadmissionpolicybindings', ...ours])
        // An API server goes by a binding for a moment after it is gone.
        await sleep(3_000)
        await entries(() => NOBODY)
      },
      /it would have been stored/,
    ],
  ]
  test.each(faults)(
    'says that routes are not judged because of %s, and when it is over',
    async (what, harm, words) => {
      await judged()
      const began = performance.now()
      await harm()
      await until('it is said', () => trials.problem() !== undefined)
      const took = performance.now() - began
      expect(trials.problem()).toMatch(words)
      await until('it is told', () => failures.length > 0)
      expect(failures[0]).toMatchObject({ kind: 'ValidatingWebhookConfiguration', message: trials.problem() })
      await putBack()
      if (cluster.installed.replicas.length === 0) await (await cluster.installed.start()).ready()
      await judged()
      process.stdout.write(`${what}: said after ${Math.round(took)} ms, which is ${inFull(took)} s with full pauses\n`)
    },
    60_000,
  )
})

function inFull(ms: number): number {
  return Math.round((ms * FASTER) / 1000)
}
