// `npm run certs` makes an overlay that kustomize builds, with the authority wherever the API server asks.
import { execFile } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { parseAllDocuments } from 'yaml'
import { writeOverlay } from '../../src/certificates/overlay.ts'
import { array, object } from '../../src/core/json.ts'
import type { KubeObject } from '../../src/core/types.ts'
import { runKubectl } from '../parts/kubectl.ts'
import { locate } from '../parts/locate.ts'
import { describeWithParts } from '../parts/require.ts'
import { documents, entries, MANIFESTS } from './documents.ts'

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
  })
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

  test('are found from wherever the folder of certificates is', async () => {
    const elsewhere = join(dir, 'a/b/certs')
    cpSync(join(dir, 'certs'), elsewhere, { recursive: true })
    expect(await writeOverlay(elsewhere, MANIFESTS)).toBe(join(elsewhere, 'kustomization.yaml'))
    expect((await build(elsewhere)).length).toBe(documents.length + 2)
  }, 30_000)
})

test('without manifests there is no overlay', async () => {
  expect(await writeOverlay('/nowhere', '/nowhere/manifests')).toBeUndefined()
})

function decoded(base64: unknown): string {
  return Buffer.from(String(base64), 'base64').toString('utf8')
}
