// What runs in the cluster and what it may do follow from what the code listens on, reads and writes.
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from '@jest/globals'
import { parse } from 'yaml'
import { defaultConfig, parseConfig } from '../../src/api/config.ts'
import { CONFIGURATIONS, secretRef } from '../../src/certificates/objects.ts'
import { SERVICE_NAME } from '../../src/certificates/overlay.ts'
import { array, type JsonObject, object } from '../../src/core/json.ts'
import { FACT_KINDS } from '../../src/facts/store.ts'
import { documents, entries, kustomization, one, text } from './documents.ts'
import { madeCompanions } from './made-companions.ts'
import { plural } from './plural.ts'

const ROOT = join(import.meta.dirname, '../..')

/** What a shipped Deployment runs. */
function workload(name: string) {
  const template = object(object(one('Deployment', name).spec).template)
  const pod = object(template.spec)
  const container = object(array(pod.containers)[0])
  const args = array(container.args).map(String)
  const ports = array(container.ports).map(object)
  return {
    name,
    pod,
    container,
    args,
    labels: { ...object(object(template.metadata).labels) },
    port: (port: string) => ports.find(each => each.name === port)?.containerPort,
    flag: (flag: string) => args.find(each => each.startsWith(`--${flag}=`))?.split('=')[1],
  }
}

const webhook = workload('portcullis-webhook')
const controller = workload('portcullis-controller')

test('a replica is given as long to say that it is ready as it has for a review', () => {
  const { readinessProbe } = webhook.container
  for (const each of entries) expect(object(readinessProbe).timeoutSeconds).toBe(each.timeoutSeconds)
  // And what says that it is not is out at once.
  expect(readinessProbe).toMatchObject({ failureThreshold: 1, periodSeconds: 2 })
})

/** Rights as `verb resource.group`. */
function rights(kind: 'ClusterRole' | 'Role', name: string): string[] {
  return array(one(kind, name).rules)
    .map(object)
    .flatMap(({ apiGroups, resources, verbs }) =>
      array(apiGroups).flatMap(group =>
        array(resources).flatMap(resource => array(verbs).map(verb => `${verb} ${resource}.${group}`)),
      ),
    )
    .sort()
}

describe.each([webhook, controller])('what is installed as $name', ({
  name,
  pod,
  container,
  args,
  labels,
  port,
  flag,
}) => {
  test('is who it may be', () => {
    const account = one('ServiceAccount', name).metadata
    expect(pod.serviceAccountName).toBe(name)
    expect(one('ClusterRoleBinding', name)).toMatchObject({
      roleRef: { kind: 'ClusterRole', name },
      subjects: [{ kind: 'ServiceAccount', name: account.name, namespace: account.namespace }],
    })
  })

  test('is started with flags that the command has, on the ports that are named', async () => {
    const [command = '', ...flags] = args
    const { stdout } = await promisify(execFile)(process.execPath, [join(ROOT, 'src/main.ts'), command, '--help'])
    expect(name).toBe(`portcullis-${command}`)
    for (const each of flags) expect(stdout).toContain(`${each.split('=')[0]} `)
    expect(Number(flag('health-port'))).toBe(port('health'))
  }, 30_000)

  test('is known by its labels to what watches over its pods', () => {
    for (const kind of ['PodDisruptionBudget', 'NetworkPolicy']) {
      const { selector, podSelector } = object(one(kind, name).spec)
      expect(object(selector ?? podSelector)).toEqual({ matchLabels: labels })
    }
  })

  test('reads its configuration where it is mounted', () => {
    const [folder, file] = (flag('config') ?? '').split(/\/(?=[^/]*$)/)
    const [generated] = array(kustomization.configMapGenerator).map(object)
    expect(generated).toMatchObject({ namespace: defaultConfig().namespace, files: [file] })
    expect(volumeAt(pod, container, folder)).toMatchObject({ configMap: { name: generated?.name } })
  })

  test('is asked for by version', () => {
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
    expect(kustomization.images).toEqual([{ name: container.image, newTag: version }])
  })

  test('takes as much CPU as there is, and so much memory', () => {
    expect(Object.keys(object(object(container.resources).limits))).toEqual(['memory'])
  })
})

function volumeAt(pod: JsonObject, container: JsonObject, path?: string): JsonObject | undefined {
  const volumes = new Map(array(pod.volumes).map(each => [object(each).name, object(each)]))
  return volumes.get(
    array(container.volumeMounts)
      .map(object)
      .find(each => each.mountPath === path)?.name,
  )
}

describe('the webhook that is installed', () => {
  test('may read the kinds that are facts or guards, and nothing else', async () => {
    const guards = (await madeCompanions()).filter(each => each.guards).map(each => each.object.kind)
    const rules = array(one('ClusterRole', 'portcullis-webhook').rules).map(object)
    expect(rules.flatMap(each => array(each.resources)).sort()).toEqual(
      [...new Set([...FACT_KINDS.keys(), ...guards].map(plural))].sort(),
    )
    for (const { verbs } of rules) expect(verbs).toEqual(['list', 'watch'])
    expect(rights('Role', 'portcullis-webhook')).toEqual(['get secrets.', 'list secrets.', 'watch secrets.'])
    expect(array(one('Role', 'portcullis-webhook').rules)).toMatchObject([{ resourceNames: ['portcullis-ca'] }])
  })

  test('is reached under the name of the certificate, through the Service that is asked', () => {
    const { metadata, spec } = one('Service')
    expect(`${metadata.name}.${metadata.namespace}.svc`).toBe(SERVICE_NAME)
    const [exposed] = array(object(spec).ports).map(object)
    expect(exposed).toMatchObject({ targetPort: 'webhook' })
    for (const { clientConfig } of entries) expect(clientConfig.service.port).toBe(exposed?.port)
    expect(webhook.labels).toEqual(object(object(spec).selector))
    expect(Number(webhook.flag('port'))).toBe(webhook.port('webhook'))
  })

  test('reads its certificate where it is mounted, if somebody else writes one', () => {
    expect(webhook.flag('certs')).toBeUndefined()
    expect(volumeAt(webhook.pod, webhook.container, '/certs')).toMatchObject({
      secret: { secretName: 'portcullis-webhook-tls', optional: true },
    })
  })

  test.each([
    ['config.yaml', { mode: 'self' }],
    ['certificates/secret/config.yaml', { mode: 'secret', secret: 'portcullis-webhook-tls' }],
    ['certificates/cert-manager/config.yaml', { mode: 'cert-manager', secret: 'portcullis-webhook-tls' }],
  ])('has in %s a configuration that is the default, certificates from %j', (file, certificates) => {
    expect(parseConfig(parse(text(file)))).toEqual({ value: { ...defaultConfig(), certificates } })
  })

  test('may hold out longer than it takes to drain', () => {
    expect(webhook.pod.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(45)
  })
})

describe('the controller that is installed', () => {
  test('reads what facts and companions are made of, and writes companions, routes, status, Events and its Lease', async () => {
    const made = [
      ...new Set(
        (await madeCompanions()).map(
          ({ object: { apiVersion, kind } }) => `${plural(kind)}.${apiVersion.split('/')[0]}`,
        ),
      ),
    ]
    const facts = [...FACT_KINDS].map(([kind, group]) => `${plural(kind)}.${group}`)
    const read = [...new Set([...facts, ...made, 'services.'])]
    const all = (verbs: readonly string[], resources: readonly string[]) =>
      resources.flatMap(each => verbs.map(verb => `${verb} ${each}`))
    expect(rights('ClusterRole', 'portcullis-controller')).toEqual(
      [
        ...all(['list', 'watch'], read),
        ...all(['get', 'create', 'patch', 'delete'], made),
        'patch authteams/status.auth.example',
        'create events.events.k8s.io',
        'get validatingwebhookconfigurations.admissionregistration.k8s.io',
      ].sort(),
    )
    expect(rights('Role', 'portcullis-controller')).toEqual([
      'create leases.coordination.k8s.io',
      'get leases.coordination.k8s.io',
      'list leases.coordination.k8s.io',
      'patch leases.coordination.k8s.io',
      'watch leases.coordination.k8s.io',
    ])
    const [, byName] = array(one('Role', 'portcullis-controller').rules).map(object)
    expect(byName?.resourceNames).toEqual(['portcullis-controller'])
  })

  test('writes one Secret and two webhook configurations where it issues certificates, each by its name', () => {
    const [create, byName] = array(one('Role', 'portcullis-authorities').rules).map(object)
    expect(create).toEqual({ apiGroups: [''], resources: ['secrets'], verbs: ['create'] })
    const { name, namespace } = secretRef(defaultConfig().namespace)
    expect(one('Role', 'portcullis-authorities').metadata.namespace).toBe(namespace)
    expect(byName).toMatchObject({ resourceNames: [name], verbs: ['list', 'watch', 'get', 'patch', 'delete'] })
    const [rule, more] = array(one('ClusterRole', 'portcullis-ca-bundles').rules).map(object)
    expect(more).toBeUndefined()
    expect(rule).toMatchObject({
      resources: CONFIGURATIONS.map(({ kind }) => plural(kind)),
      resourceNames: [...new Set(CONFIGURATIONS.map(each => each.name))],
      verbs: ['list', 'watch', 'get', 'patch'],
    })
  })
})

test('everything that lives in a namespace lives in ours', () => {
  const namespaces = new Set(documents.map(each => each.metadata.namespace).filter(each => each !== undefined))
  expect([...namespaces, one('Namespace').metadata.name]).toEqual(Array(2).fill(defaultConfig().namespace))
})
