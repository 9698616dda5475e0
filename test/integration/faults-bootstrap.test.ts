// Two controllers and two replicas that begin with nothing at the same moment, again and again on a real API server: one
// authority wins, and no replica ever shows what another one signed.
import { X509Certificate } from 'node:crypto'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { type Authorities, bundleOf, readAuthorities } from '../../src/certificates/authorities.ts'
import { trustedBy } from '../../src/certificates/ca-bundles.ts'
import { sharedLeaf } from '../../src/certificates/follow-shared.ts'
import { Keeper } from '../../src/certificates/keep-authorities.ts'
import { CONFIGURATIONS, secretRef } from '../../src/certificates/objects.ts'
import { ROTATION_TIMES } from '../../src/certificates/rotation.ts'
import { array, object } from '../../src/core/json.ts'
import type { KubeObject } from '../../src/core/types.ts'
import { type Connection, connect as connectAs } from '../../src/kube/connection.ts'
import { createWriter } from '../../src/kube/writer.ts'
import { percentile } from '../bench/statistics.ts'
import { accepts, goAccepts, opensslAccepts } from '../certificates/clients.ts'
import { documents } from '../manifests/documents.ts'
import { type ControlPlane, controlPlaneParts, startControlPlane } from '../parts/control-plane.ts'
import { describeWithParts } from '../parts/require.ts'
import { type Api, connect, pathOf } from './api.ts'
import { gatewayDefinitions } from './gateway-definitions.ts'
import { type Installed, install } from './installed.ts'

const ROUNDS = 50
const NAME = 'portcullis-webhook.portcullis.svc'
const SECRET: KubeObject = { ...secretRef('portcullis'), metadata: { namespace: 'portcullis', name: 'portcullis-ca' } }
const SHIPPED = documents.filter(each => CONFIGURATIONS.some(({ kind }) => kind === each.kind))

const PARTS = [...controlPlaneParts, 'envoy-gateway-crds', 'traefik-crds', 'openssl', 'verify'] as const

describeWithParts('everybody at once', PARTS, () => {
  let controlPlane: ControlPlane
  let api: Api
  let installed: Installed
  const connections: Connection[] = []

  const get = async (each: KubeObject) => (await api.send('GET', pathOf(each))).body as unknown as KubeObject
  const trusted = async () => trustedBy(await Promise.all(SHIPPED.map(get)))
  const stored = async () => readAuthorities((await get(SECRET)).data, Date.now()).authorities as Authorities
  /** Each on a connection of its own, with the rights of its ServiceAccount. */
  const connected = async (name: string) => {
    const connection = await connectAs(join(controlPlane.dir, `kubeconfig-${name}`))
    connections.push(connection)
    return createWriter(connection)
  }

  beforeAll(async () => {
    controlPlane = await startControlPlane({ dir: mkdtempSync(join(tmpdir(), 'portcullis-')) })
    await controlPlane.applyCrds(...gatewayDefinitions())
    api = connect(controlPlane)
    installed = await install(controlPlane, 'self')
  }, 240_000)

  afterAll(async () => {
    for (const each of connections) each.close()
    api?.close()
    await installed?.stop()
    await controlPlane?.stop()
  }, 60_000)

  test(`agrees on one authority, ${ROUNDS} times, and every certificate is accepted by whoever checks it`, async () => {
    const names = ['portcullis-controller', 'portcullis-controller', 'portcullis-webhook', 'portcullis-webhook']
    const writers = await Promise.all(names.map(connected))
    const took: number[] = []
    const seen = { created: 0, leaves: 0, byOpenssl: 0, byGo: 0 }
    let earlier: readonly string[] = []
    for (let round = 0; round < ROUNDS; round++) {
      await api.remove(SECRET)
      // Every other time nothing is known of earlier ones; else what they signed stays trusted.
      if (round % 2 === 0) {
        await Promise.all(SHIPPED.map(each => withoutBundles(api, each)))
        earlier = []
      }
      const made = await begin(writers)
      took.push(made.took)
      const [{ signing, ...rest }, bundle] = [await stored(), await trusted()]
      expect(bundle).toBe(bundleOf({ signing, ...rest }))
      expect(made.created).toBe(1)
      for (const cert of made.certs) {
        const leaf = new X509Certificate(cert)
        expect(leaf.issuer).toBe(new X509Certificate(signing.cert).subject)
        expect(accepts(bundle, leaf, Date.now())).toBe(true)
        seen.byOpenssl += Number(opensslAccepts(bundle, cert, NAME, Date.now()))
        seen.byGo += Number(goAccepts(bundle, cert, NAME))
      }
      expect(earlier.filter(cert => !accepts(bundle, new X509Certificate(cert), Date.now()))).toEqual([])
      earlier = made.certs
      seen.created += made.created
      seen.leaves += made.certs.length
    }
    const at = (share: number) => `${Math.round(percentile(took, share))} ms`
    process.stdout.write(`${ROUNDS} beginnings: ${JSON.stringify(seen)}, p50 ${at(0.5)}, longest ${at(0.999)}\n`)
    expect(seen.leaves).toBe(2 * ROUNDS)
    expect(seen.byOpenssl).toBe(seen.leaves)
    expect(seen.byGo).toBe(seen.leaves)
  }, 300_000)
})

/** The first two are controllers', the others replicas'. */
async function begin(writers: readonly Writer[]) {
  const made = { created: 0, certs: [] as string[], took: 0 }
  const keepers = writers.slice(0, 2).map(each => keeper(each, () => made.created++))
  const replicas = writers.slice(2).map(each => replica(each, cert => made.certs.push(cert)))
  const isDone = () => replicas.every(each => each.current() !== undefined)
  const all = [...keepers, ...replicas]
  const began = performance.now()
  await Promise.all(all.map(each => again(() => each.look(), isDone)))
  made.took = performance.now() - began
  // What the slower ones have begun is over by then.
  for (const each of all) await each.look()
  return made
}

type Writer = ReturnType<typeof createWriter>

const quiet = () => {}
const log = { info: quiet, warn: quiet, error: quiet }

function keeper(writer: Writer, created: () => void): Keeper {
  return new Keeper({
    ...{ writer, log, namespace: 'portcullis', times: () => ROTATION_TIMES, now: Date.now, clock: performance },
    told: { changed: step => void (step === 'create' && created()), repaired: quiet, seen: quiet },
  })
}

function replica(writer: Writer, used: (cert: string) => void) {
  return sharedLeaf({
    ...{ writer, log, namespace: 'portcullis', names: [NAME], times: () => ROTATION_TIMES, now: Date.now },
    use: ({ cert }) => used(cert),
  })
}

/** Each in its own time, so that they meet in every order. */
async function again(look: () => Promise<unknown>, isDone: () => boolean): Promise<void> {
  while (!isDone()) {
    await sleep(Math.random() * 10)
    await look()
  }
}

async function withoutBundles(api: Api, shipped: KubeObject): Promise<void> {
  const { body } = await api.send('GET', pathOf(shipped))
  const webhooks = array(body.webhooks).map(each => {
    const { caBundle: _, ...clientConfig } = object(object(each).clientConfig)
    return { ...object(each), clientConfig }
  })
  await api.send('PUT', pathOf(shipped), { ...body, webhooks })
}
