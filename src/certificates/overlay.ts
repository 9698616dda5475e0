// The overlay with which the shipped manifests are applied together with the certificates of a folder.
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import { parseAllDocuments } from 'yaml'
import { array, object, string } from '../core/json.ts'

export const SERVICE = 'portcullis-webhook'
/** The name by which the API server knows the webhook. */
export const SERVICE_NAME = `${SERVICE}.portcullis.svc`

const FILE = 'kustomization.yaml'
const SECRET = 'portcullis-webhook-tls'

/** Says which file was written; undefined: there are no manifests there. */
export async function writeOverlay(dir: string, manifests: string): Promise<string | undefined> {
  const entries = await webhooks(join(manifests, 'admission'))
  if (entries.size === 0) return undefined
  const file = join(dir, FILE)
  // Kustomize takes no absolute paths.
  await writeFile(file, overlay(relative(resolve(dir), resolve(manifests)), entries))
  return file
}

/** The names of entries by the kind of their configuration. */
async function webhooks(dir: string): Promise<Map<string, string[]>> {
  const files = await readdir(dir).catch(() => [])
  const texts = await Promise.all(files.sort().map(file => readFile(join(dir, file), 'utf8')))
  const found = new Map<string, string[]>()
  for (const document of texts.flatMap(text => parseAllDocuments(text))) {
    const { kind, webhooks } = object(document.toJS())
    const names = array(webhooks).map(each => string(object(each).name) ?? '')
    if (typeof kind === 'string') found.set(kind, [...(found.get(kind) ?? []), ...names])
  }
  return found
}

/** The caBundle is taken from the Secret as it is built, so that it is never another authority's. */
function overlay(manifests: string, webhooks: ReadonlyMap<string, readonly string[]>): string {
  const targets = [...webhooks].map(
    ([kind, names]) => `  - select:
      kind: ${kind}
      name: portcullis
    options:
      create: true
    fieldPaths:
${names.map(name => `    - webhooks.[name=${name}].clientConfig.caBundle\n`).join('')}`,
  )
  return `# Made by \`npm run certs\`: the manifests with the certificates of this folder.
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources:
- ${manifests}
components:
- ${manifests}/certificates/secret
secretGenerator:
- name: ${SECRET}
  namespace: portcullis
  type: kubernetes.io/tls
  files:
  - ca.crt
  - tls.crt
  - tls.key
  options:
    disableNameSuffixHash: true
replacements:
- source:
    kind: Secret
    name: ${SECRET}
    fieldPath: data.[ca.crt]
  targets:
${targets.join('')}`
}
