// What runs in the cluster and what it may do follow from what the code listens on, reads and writes.
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from '@jest/globals'
import { parse } from 'yaml'
import { defaultConfig, parseConfig } from '../../src/api/config.ts'
import { SERVICE_NAME } from '../../src/certificates/overlay.ts'
import { array, object } from '../../src/core/json.ts'
import { FACT_KINDS } from '../../src/facts/store.ts'
import { documents, entries, kustomization, ofKind, one, text } from './documents.ts'
import { madeCompanions } from './made-companions.ts'
import { plural } from './plural.ts'

const ROOT = join(import.meta.dirname, '../..')
const deployment = object(one('Deployment').spec)
const template = object(deployment.template)
const pod = object(template.spec)
const container = object(array(pod.containers)[0])
const args = array(container.args).map(String)
const ports = array(container.ports).map(object)
const port = (name: string) => ports.find(each => each.name === name)?.containerPort
const flag = (name: string) => args.find(each => each.startsWith(`--${name}=`))?.split('=')[1]

describe('the webhook that is installed', () => {
  test('may read the kinds that are facts or guards, and nothing else', async () => {
    const guards = (await madeCompanions()).filter(each => each.guards).map(each => each.object.kind)
    const rules = array(one('ClusterRole', 'portcullis-webhook').rules).map(object)
    expect(rules.flatMap(each => array(each.resources)).sort()).toEqual(
      [...new Set([...FACT_KINDS.keys(), ...guards].map(plural))].sort(),
    )
    for (const { verbs } of rules) expect(verbs).toEqual(['list', 'watch'])
    expect(ofKind('Role')).toEqual([])
  })

  test('is who may read', () => {
    const [binding, another] = ofKind('ClusterRoleBinding')
    expect(another).toBeUndefined()
    const { name, namespace } = one('ServiceAccount').metadata
    expect(binding).toMatchObject({
      roleRef: { kind: 'ClusterRole', name: 'portcullis-webhook' },
      subjects: [{ kind: 'ServiceAccount', name, namespace }],
    })
    expect(pod.serviceAccountName).toBe(name)
  })

  test('is started with flags that the command has, on the ports that are named', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [join(ROOT, 'src/main.ts'), 'webhook', '--help'])
    expect(args[0]).toBe('webhook')
    for (const each of args.slice(1)) expect(stdout).toContain(`${each.split('=')[0]} `)
    expect(Number(flag('port'))).toBe(port('webhook'))
    expect(Number(flag('health-port'))).toBe(port('health'))
  }, 30_000)

  test('is reached under the name of the certificate, through the Service that is asked', () => {
    const { metadata, spec } = one('Service')
    expect(`${metadata.name}.${metadata.namespace}.svc`).toBe(SERVICE_NAME)
    const [exposed] = array(object(spec).ports).map(object)
    expect(exposed).toMatchObject({ targetPort: 'webhook' })
    for (const { clientConfig } of entries) expect(clientConfig.service.port).toBe(exposed?.port)
    const labels = { ...object(object(template.metadata).labels) }
    expect(labels).toEqual(object(object(spec).selector))
    for (const kind of ['PodDisruptionBudget', 'NetworkPolicy']) {
      const { selector, podSelector } = object(one(kind).spec)
      expect(object(selector ?? podSelector)).toEqual({ matchLabels: labels })
    }
  })

  test('reads its certificate and its configuration where they are mounted', () => {
    const volumes = new Map(array(pod.volumes).map(each => [object(each).name, object(each)]))
    const mounted = array(container.volumeMounts).map(object)
    const at = (path?: string) => volumes.get(mounted.find(each => each.mountPath === path)?.name)
    expect(at(flag('certs'))).toMatchObject({ secret: { secretName: 'portcullis-webhook-tls' } })
    const [folder, file] = (flag('config') ?? '').split(/\/(?=[^/]*$)/)
    const [generated] = array(kustomization.configMapGenerator).map(object)
    expect(generated).toMatchObject({ namespace: defaultConfig().namespace, files: [file] })
    expect(at(folder)).toMatchObject({ configMap: { name: generated?.name } })
  })

  test('has a configuration that is the default but for the certificate, which is that of the Secret', () => {
    expect(parseConfig(parse(text('config.yaml')))).toEqual({
      value: { ...defaultConfig(), certificates: { mode: 'secret', secret: 'portcullis-webhook-tls' } },
    })
  })

  test('may hold out longer than it takes to drain, and is asked for by version', () => {
    expect(pod.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(45)
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
    expect(kustomization.images).toEqual([{ name: container.image, newTag: version }])
  })

  test('takes as much CPU as there is, and so much memory', () => {
    expect(Object.keys(object(object(container.resources).limits))).toEqual(['memory'])
  })
})

test('everything that lives in a namespace lives in ours', () => {
  const namespaces = new Set(documents.map(each => each.metadata.namespace).filter(each => each !== undefined))
  expect([...namespaces, one('Namespace').metadata.name]).toEqual(Array(2).fill(defaultConfig().namespace))
})
