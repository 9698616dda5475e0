// Portcullis with certificates of its own, as `kubectl apply -k manifests` installs it, on a real API server: nobody brings
// a certificate, and whatever somebody does to them is right again in seconds.
import { X509Certificate } from 'node:crypto'
import { connect as connectTls } from 'node:tls'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { authoritiesIn } from '../../src/certificates/authorities.ts'
import { createAuthority } from '../../src/certificates/authority.ts'
import { trustedBy } from '../../src/certificates/ca-bundles.ts'
import { Keeper } from '../../src/certificates/keep-authorities.ts'
import { CONFIGURATIONS } from '../../src/certificates/objects.ts'
import { ROTATION_TIMES } from '../../src/certificates/rotation.ts'
import { array, object } from '../../src/core/json.ts'
import type { KubeObject } from '../../src/core/types.ts'
import { connect as connectCluster } from '../../src/kube/connection.ts'
import { createWriter } from '../../src/kube/writer.ts'
import { documents, MANIFESTS, one } from '../manifests/documents.ts'
import type { ControlPlane } from '../parts/control-plane.ts'
import { describeWithParts } from '../parts/require.ts'
import { type Api, pathOf, until } from './api.ts'
import { auditedParts } from './audited-cluster.ts'
import { labelled, TEAM } from './faults.ts'
import type { Installed, Replica } from './installed.ts'
import { failed, startLoad } from './load.ts'
import { succeeds } from './objects.ts'
import type { Pod } from './pods.ts'
import { SECRET_DOCUMENT, type SelfCluster, startSelfCluster } from './self-cluster.ts'

const RACES = 50

describeWithParts('certificates of its own', auditedParts, () => {
  let cluster: SelfCluster
  let controlPlane: ControlPlane
  let api: Api
  let installed: Installed
  let webhooks: Replica[]
  let controllers: Pod[]

  const get = (document: KubeObject) => cluster.get(document)
  const configurations = () => cluster.configurations()
  const authorities = () => cluster.authorities()
  const isRight = () => cluster.isRight()
  const serves = () => cluster.serves()
  /** How long until everything is right again, in ms. */
  const healed = async (what: string, withinMs: number) => {
    const began = performance.now()
    await until(what, isRight, withinMs)
    const took = Math.round(performance.now() - began)
    process.stdout.write(`${what}: right again after ${took} ms\n`)
  }

  beforeAll(async () => {
    cluster = await startSelfCluster()
    ;({ controlPlane, api, installed } = cluster)
    foreign = Buffer.from((await createAuthority(new Date())).cert).toString('base64')
  }, 240_000)

  afterAll(() => cluster?.stop(), 60_000)

  test('come into being with everything else: two controllers, two webhooks, in any order, and nobody helps', async () => {
    const began = performance.now()
    webhooks = await Promise.all([installed.start(), installed.start()])
    for (const each of webhooks)
      await until('it waits', async () => (await each.health('/readyz')).text.includes('portcullis-ca is not there'))
    controllers = await Promise.all([installed.startController(), installed.startController()])
    await Promise.all([...webhooks, ...controllers].map(each => each.ready()))
    // Nobody may make a team before somebody judges it.
    await until('a team is admitted', async () => (await api.create(TEAM)).status === 201)
    await serves()
    process.stdout.write(`from nothing to a labelled route: ${Math.round(performance.now() - began)} ms\n`)
    expect(await isRight()).toBe(true)
    expect((await authorities()).old).toEqual([])
  }, 120_000)

  test(`come into being once, though ${RACES} times two at once begin with nothing`, async () => {
    // No Lease between them: what the Secret and its version decide has to do.
    const rivals = await rivalsOf(controlPlane)
    await Promise.all(controllers.map(each => each.terminate()))
    for (let race = 0; race < RACES; race++) {
      await api.remove(SECRET_DOCUMENT)
      await Promise.all(rivals.map(each => each.look()))
      await Promise.all(rivals.map(each => each.look()))
      expect(await isRight()).toBe(true)
      expect(authoritiesIn(trustedBy(await configurations())).length).toBeLessThanOrEqual(3)
    }
    rivals.close()
    controllers = await Promise.all([installed.startController(), installed.startController()])
    await Promise.all(controllers.map(each => each.ready()))
    await until('one leads', async () => (await leads()) === 1)
    await serves()
  }, 300_000)

  const leads = async () => {
    const all = await Promise.all(controllers.map(each => each.metric('portcullis_leader')))
    return all.filter(each => each === 1).length
  }

  const rubbish = Buffer.from('rubbish').toString('base64')
  test.each<[string, () => Promise<unknown>]>([
    ['a Secret that is deleted', () => api.remove(SECRET_DOCUMENT)],
    ['a Secret full of rubbish', async () => api.patch(SECRET_DOCUMENT, { data: await rubbishOf() })],
    ['a Secret that is emptied', () => api.send('PUT', pathOf(SECRET_DOCUMENT), { ...SECRET_DOCUMENT, data: {} })],
    ['a Secret without the key', () => api.patch(SECRET_DOCUMENT, { data: { 'signing.key': null } })],
    [
      'a Secret that nobody may change',
      () => api.send('PUT', pathOf(SECRET_DOCUMENT), { ...SECRET_DOCUMENT, data: { a: rubbish }, immutable: true }),
    ],
  ])(
    '%s is healed in ten seconds, and routes are admitted all the while',
    async (what, harm) => {
      // One fault at a time: of more than three authorities the oldest is forgotten.
      await until('replicas show the authority that signs', haveMoved)
      const load = startLoad(controlPlane, {
        perSecond: 20,
        route: turn => labelled(`load-${turn}`),
        isDryRun: () => true,
      })
      expect(await harm()).toMatchObject({ status: 200 })
      await healed(what, 10_000)
      await serves()
      const sent = await load.stop()
      expect(failed(sent).map(({ message }) => message)).toEqual([])
    },
    60_000,
  )

  const haveMoved = async () => {
    const { subject } = new X509Certificate((await authorities()).signing.cert)
    return (await Promise.all(webhooks.map(issuerShown))).every(each => each === subject)
  }
  const rubbishOf = async () =>
    Object.fromEntries(Object.keys(object((await get(SECRET_DOCUMENT)).data)).map(key => [key, rubbish]))

  const shipped = documents.filter(each => CONFIGURATIONS.some(({ kind }) => kind === each.kind))
  let foreign = ''
  const withBundle = (each: KubeObject) => ({
    ...each,
    webhooks: array(each.webhooks).map(entry => ({
      ...object(entry),
      clientConfig: { ...object(object(entry).clientConfig), caBundle: foreign },
    })),
  })
  test.each<[string, () => Promise<unknown>]>([
    ['kubectl replace', () => succeeds(controlPlane, ['replace'], shipped)],
    ['kubectl apply of another caBundle', () => succeeds(controlPlane, ['apply'], shipped.map(withBundle))],
    ['server-side apply of another caBundle, forced', () => succeeds(controlPlane, GITOPS, shipped.map(withBundle))],
    [
      'a patch of one entry',
      () =>
        succeeds(controlPlane, [
          ...['patch', 'validatingwebhookconfiguration', 'portcullis', '--type=json', '-p'],
          JSON.stringify([{ op: 'remove', path: '/webhooks/2/clientConfig/caBundle' }]),
        ]),
    ],
    ['removing and applying again', reinstalled],
  ])(
    'a caBundle that is overwritten by %s is ours again in five seconds',
    async (what, harm) => {
      await harm()
      expect(await isRight()).toBe(false)
      await healed(what, 5_000)
      await serves()
    },
    60_000,
  )

  async function reinstalled(): Promise<void> {
    await succeeds(controlPlane, ['delete'], shipped)
    await succeeds(controlPlane, ['apply'], shipped)
  }

  test('kubectl apply of what is shipped changes nothing, and neither do we', async () => {
    await succeeds(controlPlane, ['apply', '-k', MANIFESTS])
    await healed('kubectl apply over another caBundle', 5_000)
    const versions = async () => (await configurations()).map(each => each.metadata.resourceVersion)
    const before = await versions()
    for (let i = 0; i < 3; i++) await succeeds(controlPlane, ['apply', '-k', MANIFESTS])
    await new Promise(resolve => setTimeout(resolve, 3_000))
    expect(await versions()).toEqual(before)
    for (const { metadata } of await configurations())
      expect(JSON.stringify(metadata.managedFields)).not.toMatch(/"manager":"portcullis"(?:(?!"manager").)*f:rules/)
  }, 60_000)

  test('that the API server cannot check are said aloud by the trial: metric, Event, condition', async () => {
    const judged = async () =>
      Math.max(...(await Promise.all(controllers.map(each => each.metric('portcullis_trial_judged')))))
    await until('a trial was refused by us', async () => (await judged()) === 1)
    await Promise.all(webhooks.map(each => each.kill()))
    await until('a trial failed', async () => (await judged()) === 0, 60_000)
    const event = async () =>
      (await succeeds(controlPlane, ['get', 'events', '-n', 'default', '-o', 'jsonpath={.items[*].reason}'])).split(' ')
    await until('an Event', async () => (await event()).includes('NotAsked'), 60_000)
    const ready = async () => {
      const conditions = array(object((await get(TEAM)).status).conditions).map(object)
      return conditions.find(({ type }) => type === 'Ready')
    }
    await until('a condition', async () => (await ready())?.reason === 'NotAsked', 60_000)
    webhooks = await Promise.all([installed.start({}), installed.start({})])
    await Promise.all(webhooks.map(each => each.ready()))
    await until('it is over', async () => (await ready())?.status === 'True', 90_000)
  }, 300_000)

  test('are kept with the rights of the manifests, each of which is used, and with no other', () => {
    const asked = cluster.audit.asked().filter(({ user }) => user.endsWith('portcullis-controller'))
    const used = new Set(
      asked.flatMap(({ verb, resource, name }) => [`${verb} ${resource}`, `${verb} ${resource} ${name}`]),
    )
    const given = [one('Role', 'portcullis-authorities'), one('ClusterRole', 'portcullis-ca-bundles')]
      .flatMap(({ rules }) => array(rules).map(object))
      .flatMap(({ apiGroups, resources, resourceNames = [''], verbs }) =>
        array(resources).flatMap(each =>
          array(verbs).map(verb => `${verb} ${each}.${array(apiGroups)[0]} ${array(resourceNames)[0]}`.trim()),
        ),
      )
    expect(given.filter(each => !used.has(each))).toEqual([])
    // A trial is there to be refused.
    expect(asked.filter(({ code, resource }) => code === 403 && !resource.startsWith('ingresses.'))).toEqual([])
  })
})

function issuerShown({ host }: Replica): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const socket = connectTls({ host, port: 10_250, rejectUnauthorized: false }, () => {
      resolve(socket.getPeerX509Certificate()?.issuer)
      socket.destroy()
    })
    socket.on('error', reject)
  })
}

const GITOPS = ['apply', '--server-side', '--field-manager=gitops', '--force-conflicts']

/** Two that keep certificates in this process, each on a connection of its own. */
async function rivalsOf({ kubeconfig }: ControlPlane): Promise<Keeper[] & { close(): void }> {
  const connections = await Promise.all([connectCluster(kubeconfig), connectCluster(kubeconfig)])
  const quiet = () => {}
  const keepers = connections.map(
    connection =>
      new Keeper({
        writer: createWriter(connection),
        namespace: 'portcullis',
        times: () => ROTATION_TIMES,
        now: Date.now,
        clock: performance,
        log: { info: quiet, warn: quiet, error: (_, message) => process.stdout.write(`${message}\n`) },
        told: { changed: quiet, repaired: quiet, seen: quiet },
      }),
  )
  return Object.assign(keepers, { close: () => void connections.map(each => each.close()) })
}
