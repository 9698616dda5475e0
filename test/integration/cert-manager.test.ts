// Certificates that cert-manager issues, with its own controllers and its own CA injector, on a real API server: who has
// applied the overlay has nothing more to do, also where the authority is another one all at once.
import { X509Certificate } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { authoritiesIn } from '../../src/certificates/authorities.ts'
import { trustedBy } from '../../src/certificates/ca-bundles.ts'
import { CONFIGURATIONS } from '../../src/certificates/objects.ts'
import { array, object } from '../../src/core/json.ts'
import { entries, MANIFESTS } from '../manifests/documents.ts'
import { describeWithParts } from '../parts/require.ts'
import { pathOf, until } from './api.ts'
import { ACCOUNTS } from './audited-cluster.ts'
import {
  type CertManagerCluster,
  certManagerClusterParts,
  ISSUER_SECRET,
  SECRET,
  shown,
  startCertManagerCluster,
} from './cert-manager-cluster.ts'
import { labelled, TEAM } from './faults.ts'
import type { Replica } from './installed.ts'
import { failed, figures, type Sent, startLoad, texts, unprotected } from './load.ts'
import { succeeds } from './objects.ts'
import type { Certificates, Pod } from './pods.ts'

/** A kubelet takes up to a minute and more; the injector has to be first, which it is by far. */
const MOUNT_MS = 10_000
const WITHIN_MS = 180_000
const PER_SECOND = 5
/** For what is over soon. */
const MANY_PER_SECOND = 20
/** Time for whoever would take something back. */
const SETTLED_MS = 5_000
/** What an overlay leaves out, and kubectl leaves behind. */
const LEFT_BEHIND = [
  ['clusterrole,clusterrolebinding', 'portcullis-ca-bundles'],
  ['role,rolebinding', 'portcullis-authorities', 'portcullis-webhook', '--namespace=portcullis'],
  ['secret', 'portcullis-ca', '--namespace=portcullis'],
]
const INJECTOR = 'cert-manager-cainjector'

describeWithParts('certificates from cert-manager', certManagerClusterParts, () => {
  let cluster: CertManagerCluster
  let began: number
  let webhooks: Replica[]
  let controller: Pod

  const say = (what: string, since: number) =>
    process.stdout.write(`${what}: ${Math.round(performance.now() - since)} ms\n`)

  beforeAll(async () => {
    cluster = await startCertManagerCluster(MOUNT_MS)
    began = performance.now()
  }, 300_000)

  afterAll(() => cluster?.stop(), 60_000)

  const authorities = async () => serials(trustedBy(await cluster.configurations()))

  const load = (perSecond = PER_SECOND) =>
    startLoad(cluster.controlPlane, {
      perSecond,
      route: turn => labelled(`load-${turn}`),
      isDryRun: () => true,
    })

  const print = (title: string, sent: readonly Sent[], perSecond = PER_SECOND) => {
    const lost = failed(sent).length
    process.stdout.write(figures(title, sent))
    process.stdout.write(`labelled creates that failed: ${lost}, some ${(lost / perSecond).toFixed(1)} s of them\n`)
    for (const each of texts(sent)) process.stdout.write(`${each}\n`)
  }

  test('are asked for by manifests in which its definitions know every field', async () => {
    const { controlPlane, installed } = cluster
    const args = ['apply', '--dry-run=server', '--validate=strict', '-k', installed.overlay]
    const said = await succeeds(controlPlane, args)
    for (const each of ['certificate.cert-manager.io/portcullis-webhook', 'issuer.cert-manager.io/portcullis'])
      expect(said).toContain(each)
  }, 60_000)

  test('reach a webhook that waits for them, and every entry trusts them', async () => {
    webhooks = await Promise.all([cluster.installed.start(), cluster.installed.start()])
    controller = await cluster.installed.startController()
    await until('the authority is injected', cluster.isInjected, WITHIN_MS)
    say('until caBundle is there', began)
    expect(await cluster.bundles()).toHaveLength(entries.length)
    await Promise.all([...webhooks, controller].map(each => each.ready(WITHIN_MS)))
    const { serialNumber } = new X509Certificate(await cluster.issued('tls.crt'))
    const ca = await cluster.issued('ca.crt')
    for (const each of webhooks) expect((await shown(each, ca)).serialNumber).toBe(serialNumber)
    expect(await authorities()).toEqual(serials(ca))
    const isAdmitted = async () => (await cluster.api.create(TEAM)).status === 201
    await until('a team is admitted', isAdmitted, WITHIN_MS)
    await until('a labelled route is admitted', cluster.isServed, WITHIN_MS)
    say('until a labelled route is admitted', began)
    const judged = async () => (await controller.metric('portcullis_trial_judged')) === 1
    await until('the controller sees that routes are judged', judged, WITHIN_MS)
  }, 600_000)

  test.each([
    ['as kubectl does', []],
    ['as the API server does', ['--server-side']],
    ['as GitOps tools do', ['--server-side', '--force-conflicts', '--field-manager=gitops']],
  ])(
    'stay where they are while the manifests are applied again, %s',
    async (_, args) => {
      const { controlPlane, installed } = cluster
      const generations = async () => (await cluster.configurations()).map(({ metadata }) => metadata.generation)
      const before = await generations()
      await succeeds(controlPlane, ['apply', ...args, '-k', installed.overlay])
      // It counts every change of what is in force, also one that was taken back.
      expect(await generations()).toEqual(before)
      expect(await succeeds(controlPlane, ['diff', ...args, '-k', installed.overlay])).toBe('')
      expect(await cluster.isInjected()).toBe(true)
    },
    60_000,
  )

  test('follow one another from one authority to the next, and no labelled route is refused', async () => {
    const before = { bundle: await authorities(), ca: await cluster.issued('ca.crt') }
    const sending = load()
    const since = performance.now()
    // Its key is lost; then the certificate is asked for anew, as `cmctl renew` does.
    const { uid } = (await cluster.get(ISSUER_SECRET)).metadata
    expect(await cluster.api.remove(ISSUER_SECRET)).toMatchObject({ status: 200 })
    const isAnother = async () => ![undefined, uid].includes((await cluster.get(ISSUER_SECRET)).metadata?.uid)
    await until('there is another authority', isAnother, WITHIN_MS)
    await until('it has signed', () => cluster.isRenewed(before.ca), WITHIN_MS)
    say('until a certificate of another authority is in the Secret', since)
    await until('the authority is injected', cluster.isInjected, WITHIN_MS)
    say('until every entry trusts that authority', since)
    const ca = await cluster.issued('ca.crt')
    for (const each of webhooks) await until('it is shown', () => shows(each, ca), WITHIN_MS)
    say('until every replica shows its certificate', since)
    const sent = await sending.stop()
    print('another authority', sent)
    expect(failed(sent)).toEqual([])
    expect(unprotected(sent)).toEqual([])
    // Its CA injector adds: what the former one has signed is trusted until that one runs out.
    expect(await authorities()).toEqual([...before.bundle, ...serials(ca)])
  }, 600_000)

  test('are trusted again soon where a tool replaces the configurations, and no former authority with them', async () => {
    const { controlPlane, installed } = cluster
    const manifests = await succeeds(controlPlane, ['kustomize', installed.overlay])
    const bare = manifests.split('\n---\n').filter(each => /^kind: \w+WebhookConfiguration$/m.test(each))
    expect(bare).toHaveLength(CONFIGURATIONS.length)
    const sending = load(MANY_PER_SECOND)
    const since = performance.now()
    const { code, stderr } = await controlPlane.kubectl(['replace', '--save-config', '-f', '-'], bare.join('\n---\n'))
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    await until('the authority is injected', cluster.isInjected, WITHIN_MS)
    say('until every entry has its caBundle again, kubectl replace included', since)
    await until('a labelled route is admitted', cluster.isServed, WITHIN_MS)
    const sent = await sending.stop()
    print('caBundle taken away', sent, MANY_PER_SECOND)
    expect(unprotected(sent)).toEqual([])
    expect(await authorities()).toEqual(serials(await cluster.issued('ca.crt')))
  }, 300_000)

  test('are kept in use where the Secret is deleted, until the next one is there', async () => {
    const sending = load()
    const { serialNumber } = new X509Certificate(await cluster.issued('tls.crt'))
    expect(await cluster.api.remove(SECRET)).toMatchObject({ status: 200 })
    await until('there is another', async () => {
      const cert = await cluster.issued('tls.crt')
      return cert !== '' && new X509Certificate(cert).serialNumber !== serialNumber
    })
    const next = new X509Certificate(await cluster.issued('tls.crt')).serialNumber
    const ca = await cluster.issued('ca.crt')
    const isNext = async (each: Replica) => (await shown(each, ca)).serialNumber === next
    for (const each of webhooks) await until('it is shown', () => isNext(each), WITHIN_MS)
    const sent = await sending.stop()
    print('the Secret is deleted', sent)
    expect(failed(sent)).toEqual([])
  }, 300_000)

  test('are cert-manager’s alone: nobody of ours writes a Secret or a webhook configuration, nor may', async () => {
    const { audit } = cluster
    expect(audit.asked().length).toBeGreaterThan(0)
    // Nor looks: what would be written is read before.
    const isRead = /^(secrets|mutatingwebhookconfigurations)\./
    expect(audit.asked().filter(({ resource }) => isRead.test(resource))).toEqual([])
    expect(audit.writes().filter(({ resource }) => resource.startsWith('validatingwebhookconfigurations.'))).toEqual([])
    for (const each of await cluster.configurations()) {
      expect(ownersOf('f:caBundle', each.metadata.managedFields)).toEqual([INJECTOR])
      for (const account of ACCOUNTS) expect(await cluster.api.patch(each, {}, account)).toMatchObject({ status: 403 })
    }
    for (const account of ACCOUNTS)
      expect(await cluster.api.send('GET', pathOf(SECRET), undefined, account)).toMatchObject({ status: 403 })
  })

  /** Of both Deployments, the controller's first. */
  const restart = async (certificates: Certificates, isTime: () => Promise<boolean>) => {
    const next = await cluster.installed.startController({ certificates })
    await controller.terminate()
    controller = next
    await until('the authority is there', isTime, WITHIN_MS)
    await cluster.installed.rollout({ certificates })
    for (const each of cluster.installed.replicas) await each.ready()
  }

  test('are given up for certificates of its own, and no labelled route is refused', async () => {
    const { controlPlane, installed } = cluster
    const sending = load()
    await succeeds(controlPlane, ['apply', '-k', MANIFESTS])
    const former = serials(await cluster.issued('ca.crt'))
    await restart('self', async () => (await authorities()).some(each => !former.includes(each)))
    await sleep(SETTLED_MS)
    const sent = await sending.stop()
    print('from cert-manager to certificates of its own', sent)
    expect(failed(sent)).toEqual([])
    expect(installed.replicas).toHaveLength(webhooks.length)
    for (const { metadata } of await cluster.configurations())
      expect(metadata.annotations).not.toHaveProperty(['cert-manager.io/inject-ca-from'])
  }, 300_000)

  test('take over from certificates of its own, and no labelled route is refused', async () => {
    const { controlPlane, installed } = cluster
    const sending = load()
    await succeeds(controlPlane, ['apply', '-k', installed.overlay])
    await restart('cert-manager', cluster.isInjected)
    for (const each of LEFT_BEHIND) await succeeds(controlPlane, ['delete', ...each])
    await sleep(SETTLED_MS)
    const sent = await sending.stop()
    print('from certificates of its own to cert-manager', sent)
    expect(failed(sent)).toEqual([])
    expect(await cluster.isInjected()).toBe(true)
    const ca = await cluster.issued('ca.crt')
    for (const each of installed.replicas) expect(await shows(each, ca)).toBe(true)
  }, 300_000)

  const shows = (each: Replica, ca: string) =>
    shown(each, ca).then(
      () => true,
      () => false,
    )
})

function serials(pem: string): string[] {
  return authoritiesIn(pem).map(each => new X509Certificate(each).serialNumber)
}

/** Who has written a field of this name, whatever it is part of. */
function ownersOf(field: string, managedFields: unknown): string[] {
  const entries = array(managedFields).map(object)
  const owners = entries.filter(({ fieldsV1 }) => JSON.stringify(fieldsV1 ?? {}).includes(`"${field}"`))
  return [...new Set(owners.map(({ manager }) => String(manager)))]
}
