// `npm run certs` makes an overlay that kustomize builds, with the authority wherever the API server asks.
import { execFile } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { parse, parseAllDocuments, stringify } from 'yaml'
import { SERVICE_NAME, writeOverlay } from '../../src/certificates/overlay.ts'
import { array, object } from '../../src/core/json.ts'
import type { KubeObject } from '../../src/core/types.ts'
import { runKubectl } from '../parts/kubectl.ts'
import { locate } from '../parts/locate.ts'
import { describeWithParts } from '../parts/require.ts'
import { documents, entries, MANIFESTS } from './documents.ts'

/** Rights that only who issues certificates needs. */
const OF_SELF = 6

const CONFIG = { apiVersion: 'config.auth.example/v1alpha1', kind: 'PortcullisConfig' }

describeWithParts('the manifests, built by kubectl', ['kubectl'], () => {
  let dir: string

  const build = async (folder: string): Promise<KubeObject[]> => {
    const target = { program: locate('kubectl') as string, kubeconfig: '/dev/null', cacheDir: join(dir, 'cache') }
    const { code, stdout, stderr } = await runKubectl(target, ['kustomize', folder])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    return parseAllDocuments(stdout).map(each => each.toJS())
  }

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'portcullis-overlay-'))
    const cwd = join(MANIFESTS, '..')
    await promisify(execFile)(process.execPath, ['src/main.ts', 'certs', join(dir, 'certs')], { cwd })
  }, 60_000)
  afterAll(() => rmSync(dir, { recursive: true }))

  test('are all there, and the configuration with them', async () => {
    const built = await build(MANIFESTS)
    const names = (of: readonly KubeObject[]) => of.map(each => `${each.kind}/${each.metadata.name}`).sort()
    expect(names(built)).toEqual([...names(documents), 'ConfigMap/portcullis'].sort())
    for (const { metadata } of built) expect(metadata.labels).toMatchObject({ 'app.kubernetes.io/name': 'portcullis' })
  }, 30_000)

  test('carry the authority in every entry, and the certificate in a Secret', async () => {
    const certs = join(dir, 'certs')
    const built = await build(certs)
    const asked = built.flatMap(each => array(each.webhooks)).map(each => object(object(each).clientConfig))
    expect(asked).toHaveLength(entries.length)
    for (const { caBundle } of asked) expect(decoded(caBundle)).toBe(readFileSync(join(certs, 'ca.crt'), 'utf8'))
    // Who brings certificates gives nobody of ours a right to change webhook configurations, or to read Secrets.
    const rules = built.flatMap(each => array(each.rules)).map(object)
    expect(rules.flatMap(each => array(each.resources))).not.toContain('secrets')
    const ofAdmission = rules.filter(each => array(each.apiGroups).includes('admissionregistration.k8s.io'))
    expect(ofAdmission.flatMap(each => array(each.verbs))).toEqual(['get'])
    const config = built.find(each => each.kind === 'ConfigMap')
    expect(object(config?.data)['config.yaml']).toContain('mode: secret')
    const secret = built.find(each => each.kind === 'Secret')
    expect(secret).toMatchObject({
      metadata: { name: 'portcullis-webhook-tls', namespace: 'portcullis' },
      type: 'kubernetes.io/tls',
    })
    const { subjectAltName } = new X509Certificate(readFileSync(join(certs, 'tls.crt')))
    expect(subjectAltName).toContain('DNS:portcullis-webhook.portcullis.svc')
    for (const file of ['tls.crt', 'tls.key'])
      expect(decoded(object(secret?.data)[file])).toBe(readFileSync(join(certs, file), 'utf8'))
  }, 30_000)

  test('get their certificates from cert-manager where an overlay says so', async () => {
    const overlay = join(dir, 'cert-manager')
    mkdirSync(overlay)
    const manifests = relative(realpathSync(overlay), realpathSync(MANIFESTS))
    const text = stringify({
      ...{ apiVersion: 'kustomize.config.k8s.io/v1beta1', kind: 'Kustomization' },
      ...{ resources: [manifests], components: [`${manifests}/certificates/cert-manager`] },
    })
    writeFileSync(join(overlay, 'kustomization.yaml'), text)
    const built = await build(overlay)
    const certificate = built.find(each => each.metadata.name === 'portcullis-webhook' && each.kind === 'Certificate')
    expect(certificate?.spec).toMatchObject({
      secretName: 'portcullis-webhook-tls',
      dnsNames: [SERVICE_NAME, expect.any(String)],
    })
    const { namespace, name } = certificate?.metadata ?? {}
    const injected = built.filter(each => array(each.webhooks).length > 0)
    expect(injected).toHaveLength(2)
    for (const { metadata } of injected)
      expect(metadata.annotations).toMatchObject({ 'cert-manager.io/inject-ca-from': `${namespace}/${name}` })
    expect(built.flatMap(each => array(each.rules)).flatMap(each => array(object(each).resources))).not.toContain(
      'secrets',
    )
  }, 30_000)

  test('take the registry and the configuration of the overlay that their README shows, whoever issues certificates', async () => {
    const readme = readFileSync(join(MANIFESTS, 'README.md'), 'utf8')
    const shown = object(parse(/```yaml\n(apiVersion: kustomize[\s\S]*?)```/.exec(readme)?.[1] ?? ''))
    expect(shown.resources).toEqual(['../manifests'])
    for (const mode of ['self', 'cert-manager', 'secret']) {
      const overlay = join(dir, `shown-${mode}`)
      mkdirSync(overlay)
      const manifests = relative(realpathSync(overlay), realpathSync(MANIFESTS))
      const components = mode === 'self' ? [] : [`${manifests}/certificates/${mode}`]
      writeFileSync(join(overlay, 'kustomization.yaml'), stringify({ ...shown, resources: [manifests], components }))
      const built = await build(overlay)
      const config = parse(String(object(built.find(each => each.kind === 'ConfigMap')?.data)['config.yaml']))
      expect(config).toEqual({ ...CONFIG, settleSeconds: 5 })
      const images = JSON.stringify(built.filter(each => each.kind === 'Deployment')).match(/"image":"[^"]*"/g)
      expect(images).toEqual(Array(2).fill('"image":"registry.team-a.example.com/portcullis:0.1.0"'))
    }
  }, 60_000)

  test('are found from wherever the folder of certificates is', async () => {
    const elsewhere = join(dir, 'a/b/certs')
    cpSync(join(dir, 'certs'), elsewhere, { recursive: true })
    expect(await writeOverlay(elsewhere, MANIFESTS)).toBe(join(elsewhere, 'kustomization.yaml'))
    expect((await build(elsewhere)).length).toBe(documents.length + 2 - OF_SELF)
  }, 30_000)
})

test('without manifests there is no overlay', async () => {
  expect(await writeOverlay('/nowhere', '/nowhere/manifests')).toBeUndefined()
})

function decoded(base64: unknown): string {
  return Buffer.from(String(base64), 'base64').toString('utf8')
}
