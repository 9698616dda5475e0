// A real API server takes our CRDs and judges documents as the reader of files does.
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { parseAuthExemption } from '../../src/api/auth-exemption.ts'
import { parseAuthTeam } from '../../src/api/auth-team.ts'
import type { Parsed } from '../../src/api/problems.ts'
import { type Document, full, REFUSED, refusedDocument, smallest, withField } from '../api/auth-teams.ts'
import { type ControlPlane, controlPlaneParts, startControlPlane } from '../parts/control-plane.ts'
import { describeWithParts } from '../parts/require.ts'

const CRDS = ['authteams', 'authexemptions'].map(name => join(import.meta.dirname, `../../manifests/crds/${name}.yaml`))

const exemption = (fields: object): Document => ({
  apiVersion: 'auth.example/v1alpha1',
  kind: 'AuthExemption',
  metadata: { name: 'status' },
  spec: {
    route: { kind: 'Ingress', namespace: 'shop', name: 'status' },
    hosts: ['status.example.com'],
    reason: 'The status page is for everybody.',
    ...fields,
  },
})

describeWithParts('the CRDs on a real API server', controlPlaneParts, () => {
  let controlPlane: ControlPlane

  const kubectlCreate = (documents: Document[], ...args: string[]) => {
    const list = { apiVersion: 'v1', kind: 'List', items: documents }
    return controlPlane.kubectl(['create', '-f', '-', ...args], JSON.stringify(list))
  }
  const create = (...documents: Document[]) => kubectlCreate(documents)
  // kubectl has a look of its own at the schema and stops there; this way the API server judges.
  const createUnseen = (...documents: Document[]) => kubectlCreate(documents, '--validate=false')

  const stored = async (kind: string, name: string) =>
    JSON.parse((await controlPlane.kubectl(['get', kind, name, '-o', 'json'])).stdout)

  beforeAll(async () => {
    controlPlane = await startControlPlane({ dir: mkdtempSync(join(tmpdir(), 'portcullis-')) })
    await controlPlane.applyCrds(...CRDS)
  }, 120_000)

  afterAll(() => controlPlane?.stop())

  test.each([
    ['the smallest team', 'smallest', smallest()],
    ['a team that says everything', 'full', full()],
  ])(
    'keep what %s says, and store the defaults that files get',
    async (_, name, document) => {
      const named = withField(document, 'metadata.name', name)
      expect(await create(named)).toMatchObject({ code: 0, stderr: '' })
      const { uid, created, ...team } = value(parseAuthTeam(await stored('at', name)))
      expect(team).toEqual(value(parseAuthTeam(named)))
      expect({ uid, created }).toEqual({ uid: expect.any(String), created: expect.any(String) })
    },
    30_000,
  )

  describe('refuse', () => {
    let lines: string[] = []

    // One call for all: a kubectl for each would take a minute.
    beforeAll(async () => {
      const documents = REFUSED.map((refused, i) => {
        const document = refusedDocument(refused)
        return refused.path === 'metadata.name' ? document : withField(document, 'metadata.name', `case-${i}`)
      })
      lines = (await createUnseen(...documents)).stderr.split('\n')
    }, 60_000)

    test.each(
      REFUSED.map((refused, i) => [refused.because, refused, i] as const),
    )('a team with %s, at that field', (_, refused, i) => {
      const { name } = refusedDocument(refused).metadata as { name: string }
      const quoted = JSON.stringify(refused.path === 'metadata.name' ? name : `case-${i}`)
      const line = lines.find(text => text.includes(`AuthTeam.auth.example ${quoted} is invalid: `))
      expect(line?.split('is invalid: ')[1]).toMatch(fieldIn(refused.serverPath ?? refused.path))
    })

    test('an unknown field', async () => {
      const { stderr } = await create(withField(smallest(), 'spec.proxy.cookieDomain', ['a.example.com']))
      expect(stderr).toMatch(/unknown field "(spec\.proxy\.)?cookieDomain"/)
    }, 30_000)
  })

  test('keep an exemption, and refuse one without a reason or with a day for an end', async () => {
    const document = exemption({ paths: ['/healthz'], expires: '2027-01-31T00:00:00Z' })
    expect(await create(document)).toMatchObject({ code: 0 })
    const { uid, created, ...read } = value(parseAuthExemption(await stored('ae', 'status')))
    expect(read).toEqual(value(parseAuthExemption(document)))
    const { stderr } = await createUnseen(exemption({ reason: ' ', expires: '2027-01-31', hosts: ['*.example.com'] }))
    for (const field of ['spec.reason', 'spec.expires', 'spec.hosts[0]']) expect(stderr).toMatch(fieldIn(field))
  }, 30_000)

  test('show a team in columns, with the status that only the status subresource takes', async () => {
    const ready = {
      type: 'Ready',
      status: 'True',
      reason: 'Ready',
      message: '',
      lastTransitionTime: '2026-01-01T00:00:00Z',
    }
    const patch = JSON.stringify({
      status: { conditions: [ready], routes: { ingress: 3 } },
      spec: { passthrough: 'Always' },
    })
    await create(withField(full(), 'metadata.name', 'shown'))
    const args = ['patch', 'authteam', 'shown', '--type=merge', '-p', patch]
    expect(await controlPlane.kubectl([...args, '--subresource=status'])).toMatchObject({ code: 0 })
    expect(await stored('at', 'shown')).toMatchObject({
      spec: { passthrough: 'Never' },
      status: { conditions: [ready], routes: { ingress: 3, httpRoute: 0 } },
    })
    const { stdout } = await controlPlane.kubectl(['get', 'portcullis', '--no-headers'])
    expect(stdout).toMatch(/shown +True +Ready +3 +0 +login\.team-a\.example\.com +\d+s\n/)
  }, 30_000)
})

function value<T>(parsed: Parsed<T>): T {
  if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems))
  return parsed.value
}

function fieldIn(path: string): RegExp {
  return new RegExp(`(^|[\\s[])${path.replaceAll(/[[\].]/g, '\\$&')}: `, 'm')
}
