// Every outcome of a write, as the real API server brings it about.
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { KubeObject } from '../../src/core/types.ts'
import { type Connection, connect } from '../../src/kube/connection.ts'
import { refOf } from '../../src/kube/kinds.ts'
import type { Writer, Written } from '../../src/kube/write.ts'
import { createWriter } from '../../src/kube/writer.ts'
import { type ControlPlane, controlPlaneParts, startControlPlane } from '../parts/control-plane.ts'
import { crdFiles } from '../parts/crds.ts'
import { describeWithParts } from '../parts/require.ts'
import { until } from './api.ts'
import { applied } from './objects.ts'
import { print } from './print.ts'
import { refusingPolicy } from './refusing-policy.ts'
import {
  grant,
  ingress,
  middleware,
  moved,
  objectOf,
  policy,
  route,
  team,
  uidOf,
  versionOf,
} from './written-objects.ts'

const OUR_CRDS = ['authteams', 'authexemptions'].map(name =>
  join(import.meta.dirname, `../../manifests/crds/${name}.yaml`),
)
const HERE = { namespace: 'default' }

describeWithParts('writes to a real API server', [...controlPlaneParts, 'envoy-gateway-crds', 'traefik-crds'], () => {
  let controlPlane: ControlPlane
  let writer: Writer
  const connections: Connection[] = []

  beforeAll(async () => {
    controlPlane = await startControlPlane({ dir: mkdtempSync(join(tmpdir(), 'portcullis-')) })
    await controlPlane.applyCrds(...OUR_CRDS, ...crdFiles('envoy-gateway'))
    writer = await writerAs(undefined)
  }, 180_000)

  afterAll(async () => {
    for (const connection of connections) connection.close()
    await controlPlane?.stop()
  })

  const writerAs = async (user: string | undefined): Promise<Writer> => {
    const config = JSON.parse(readFileSync(controlPlane.kubeconfig, 'utf8'))
    if (user !== undefined) config.users[0].user.as = user
    const path = join(controlPlane.dir, `kubeconfig-${user ?? 'self'}`)
    writeFileSync(path, JSON.stringify(config))
    const connection = await connect(path, {})
    connections.push(connection)
    return createWriter(connection)
  }
  const made = async (object: KubeObject): Promise<KubeObject> => objectOf(await writer.apply(object))

  describe.each<[string, KubeObject]>([
    ['of a built-in kind', ingress('life')],
    ['of a kind of Gateway API', route('life')],
    ['of a beta version', grant('life')],
    ['of a kind of Envoy Gateway', policy('life')],
    ['of a kind of ours, without a namespace', team('life')],
    ['of the core group', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'life' } }],
  ])('an object %s', (_, object) => {
    const ref = refOf(object)

    test('is not there, is applied, and is there, of its kind and without what managers of fields left', async () => {
      expect(await writer.get(ref)).toEqual({ outcome: 'gone' })
      const applied = await made(object)
      const { apiVersion, kind, metadata } = applied
      expect({ apiVersion, kind }).toEqual({ apiVersion: ref.apiVersion, kind: ref.kind })
      expect(metadata).toMatchObject({ name: ref.name, uid: expect.any(String), resourceVersion: expect.any(String) })
      expect(metadata).not.toHaveProperty('managedFields')
      expect(objectOf(await writer.get(ref))).toEqual(applied)
    })

    test('is of the same version after it was applied again', async () => {
      await made(object)
      expect(versionOf(await made(object))).toBe(versionOf(await made(object)))
    })

    test('is patched in the version that was read, and in no other', async () => {
      const before = await made(object)
      const add = [{ op: 'add', path: '/metadata/labels', value: { patched: 'yes' } }] as const
      const after = objectOf(await writer.patch(ref, versionOf(before), add))
      expect(after.metadata).toMatchObject({ labels: { patched: 'yes' } })
      expect(await writer.patch(ref, versionOf(before), add)).toEqual({ outcome: 'conflict' })
      // The patch itself would not fit any more either; that somebody wrote is what counts.
      const takeOut = [{ op: 'remove', path: '/metadata/labels/patched' }] as const
      expect(await writer.patch(ref, versionOf(before), takeOut)).toEqual({ outcome: 'conflict' })
      const last = objectOf(await writer.patch(ref, versionOf(after), takeOut))
      const wrong = await writer.patch(ref, versionOf(last), takeOut)
      expect(wrong).toMatchObject({ outcome: 'refused', status: 422, message: expect.stringContaining('fit') })
    })

    test('is not created over', async () => {
      await made(object)
      expect(await writer.create(object)).toEqual({ outcome: 'exists' })
    })

    test('is removed if it is the one that is meant, in the version that is meant', async () => {
      const before = await made(object)
      const uid = uidOf(before)
      expect(await writer.remove(ref, '00000000-0000-0000-0000-000000000000')).toEqual({ outcome: 'conflict' })
      expect(await writer.remove(ref, uid, '1')).toEqual({ outcome: 'conflict' })
      const removed = objectOf(await writer.remove(ref, uid, versionOf(before)))
      expect(removed).toMatchObject({ apiVersion: ref.apiVersion, kind: ref.kind, metadata: { name: ref.name, uid } })
      if (ref.kind === 'Namespace') return expect(removed.metadata).toHaveProperty('deletionTimestamp')
      expect(removed.metadata).not.toHaveProperty('deletionTimestamp')
      expect(await writer.get(ref)).toEqual({ outcome: 'gone' })
      expect(await writer.remove(ref, uid)).toEqual({ outcome: 'gone' })
      expect(await writer.patch(ref, '1', [])).toEqual({ outcome: 'gone' })
    })
  })

  test('what a finalizer holds comes back with the time at which it was deleted', async () => {
    const held = { ...policy('held'), metadata: { ...HERE, name: 'held', finalizers: ['example.com/held'] } }
    const removed = objectOf(await writer.remove(refOf(held), uidOf(await made(held))))
    expect(removed.metadata).toMatchObject({ deletionTimestamp: expect.any(String) })
    expect(await writer.create(held)).toEqual({ outcome: 'exists' })
  })

  test('a status is patched as one, and as nothing else', async () => {
    const before = await made(team('with-status'))
    const value = { conditions: [], routes: { ingress: 3 } }
    const replaced = [{ op: 'add', path: '/status', value }] as const
    const after = objectOf(await writer.patch(refOf(before), versionOf(before), replaced, 'status'))
    expect(after.status).toMatchObject({ routes: { ingress: 3, httpRoute: 0 } })
    expect(await writer.patch(refOf(before), versionOf(before), replaced, 'status')).toEqual({ outcome: 'conflict' })
    const odd = [{ op: 'add', path: '/status/oddity', value: 1 }] as const
    const answer = await writer.patch(refOf(after), versionOf(after), odd, 'status')
    expect(answer).toMatchObject({ outcome: 'refused', message: expect.stringContaining('"status.oddity"') })
  })

  describe('a field that the kind does not have', () => {
    test.each<[string, KubeObject]>([
      ['built-in kind', ingress('odd')],
      ['custom kind', policy('odd')],
      ['kind of ours', team('odd')],
    ])('is refused by name in a %s, and nothing is stored', async (_, object) => {
      const odd = { ...object, spec: { ...(object.spec as object), oddity: 1 } }
      const answers = [await writer.apply(odd), await writer.create(odd)]
      const before = await made({ ...object, metadata: { ...object.metadata, name: 'even' } })
      const added = [{ op: 'add', path: '/spec/oddity', value: 1 }] as const
      answers.push(await writer.patch(refOf(before), versionOf(before), added))
      print(`unknown field of ${object.kind}: ${JSON.stringify(answers)}`)
      for (const answer of answers) {
        expect(answer).toMatchObject({ outcome: 'refused', message: expect.stringMatching(/\bspec\.oddity\b/) })
      }
      expect(await writer.get(refOf(odd))).toEqual({ outcome: 'gone' })
    })
  })

  test('what a rule of the definition refuses is refused with what the rule says', async () => {
    const wrong = { ...policy('wrong'), spec: { authorization: { defaultAction: 'Deny' } } }
    const answer = await writer.apply(wrong)
    print(`rule of a definition: ${JSON.stringify(answer)}`)
    expect(answer).toMatchObject({ outcome: 'refused', status: 422, message: expect.stringContaining('target') })
  })

  test('somebody else’s fields stay when ours are applied, and what is ours is ours again', async () => {
    await made(ingress('shared'))
    await applied(controlPlane, {
      ...ingress('shared'),
      metadata: { ...HERE, name: 'shared', annotations: { theirs: 'kept' } },
      spec: { rules: [{ host: 'theirs.example.com' }] },
    })
    const after = await made(ingress('shared'))
    expect(after.metadata.annotations).toEqual({ theirs: 'kept' })
    expect(after.spec).toMatchObject({ rules: [{ host: 'shared.example.com' }] })
  })

  describe('a namespace', () => {
    test('that is not there takes nothing', async () => {
      const stranded = moved(policy('stranded'), 'missing')
      expect(await writer.apply(stranded)).toEqual({ outcome: 'nowhere' })
      expect(await writer.create(stranded)).toEqual({ outcome: 'nowhere' })
      expect(await writer.get(refOf(stranded))).toEqual({ outcome: 'gone' })
      expect(await writer.remove(refOf(stranded), 'uid')).toEqual({ outcome: 'gone' })
    })

    test('that is being deleted takes nothing new; what is in it can be changed and removed', async () => {
      const namespace = await made({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'going' } })
      const before = await made(moved(ingress('before'), 'going'))
      // Nobody empties it here: no controller runs.
      objectOf(await writer.remove(refOf(namespace), uidOf(namespace)))
      for (const late of [moved(ingress('late'), 'going'), moved(policy('late'), 'going')]) {
        expect(await writer.apply(late)).toEqual({ outcome: 'nowhere' })
        expect(await writer.create(late)).toEqual({ outcome: 'nowhere' })
      }
      const labelled = [{ op: 'add', path: '/metadata/labels', value: { a: 'b' } }] as const
      expect(await writer.patch(refOf(before), versionOf(before), labelled)).toMatchObject({ outcome: 'done' })
      expect(await writer.remove(refOf(before), uidOf(before))).toMatchObject({ outcome: 'done' })
    })
  })

  test('a quota is awaited until it has been counted, and refuses once it is used up', async () => {
    await made({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'small' } })
    const hard = { 'count/securitypolicies.gateway.envoyproxy.io': '0' }
    const quota = { apiVersion: 'v1', kind: 'ResourceQuota', metadata: { namespace: 'small', name: 'q' } }
    await applied(controlPlane, { ...quota, spec: { hard } })
    const object = moved(policy('one-too-many'), 'small')
    // Counting is a controller's, and none runs here.
    const counted = async (status: object) => {
      const patch = JSON.stringify({ status })
      const args = ['patch', 'resourcequota', 'q', '-n', 'small', '--subresource=status', '--type=merge', '-p', patch]
      expect(await controlPlane.kubectl(args)).toMatchObject({ code: 0 })
    }
    const untilNot = async (outcome: Written['outcome']): Promise<Written> => {
      let answer = await writer.apply(object)
      await until(`another answer than ${outcome}`, async () => {
        if (answer.outcome === 'done') await writer.remove(refOf(object), uidOf(answer.object))
        answer = await writer.apply(object)
        return answer.outcome !== outcome
      })
      return answer
    }
    await counted({ hard })
    const early = await untilNot('done')
    print(`quota that nobody has counted: ${JSON.stringify(early)}`)
    expect(early).toMatchObject({ outcome: 'later', message: expect.stringContaining('quota') })
    await counted({ hard, used: hard })
    const full = await untilNot('later')
    print(`quota used up: ${JSON.stringify(full)}`)
    expect(full).toMatchObject({ outcome: 'refused', status: 403, message: expect.stringContaining('quota') })
  }, 150_000)

  test('who has no right is refused everything, and told which right is missing', async () => {
    const nobody = await writerAs('nobody')
    const object = await made(policy('guarded'))
    const answers = [
      await nobody.get(refOf(object)),
      await nobody.apply(policy('guarded')),
      await nobody.patch(refOf(object), versionOf(object), []),
      await nobody.create(policy('guarded')),
      await nobody.remove(refOf(object), uidOf(object)),
    ]
    print(`no right: ${JSON.stringify(answers.at(-1))}`)
    for (const answer of answers) {
      expect(answer).toMatchObject({ outcome: 'refused', status: 403, message: expect.stringContaining('nobody') })
    }
  })

  test.each([
    'Forbidden',
    'Invalid',
    'RequestEntityTooLarge',
  ])('an admission that refuses as %s refuses', async reason => {
    const name = `no-${reason.toLowerCase()}`
    const expression = `object.metadata.name != '${name}'`
    const where = { apiGroup: 'networking.k8s.io', resource: 'ingresses', operations: ['CREATE'] }
    await applied(controlPlane, ...refusingPolicy({ name, ...where, expression, message: 'not on a Monday', reason }))
    let answer = await writer.create(ingress(name))
    await until('the policy is in force', async () => {
      if (answer.outcome === 'done') await writer.remove(refOf(answer.object), uidOf(answer.object))
      answer = await writer.create(ingress(name))
      return answer.outcome !== 'done'
    })
    print(`admission, ${reason}: ${JSON.stringify(answer)}`)
    expect(answer).toMatchObject({ outcome: 'refused', message: expect.stringContaining('not on a Monday') })
  }, 90_000)

  test('a kind that is not installed is absent, until it is, and again while its definition goes', async () => {
    const object = middleware('m')
    const asked = async () => [
      await writer.get(refOf(object)),
      await writer.apply(object),
      await writer.create(object),
      await writer.patch(refOf(object), '1', []),
      await writer.remove(refOf(object), 'uid'),
    ]
    for (const answer of await asked()) expect(answer).toEqual({ outcome: 'absent' })
    // Of a group that is there, a version that is not.
    const future = { ...grant('g'), apiVersion: 'gateway.networking.k8s.io/v9' }
    expect(await writer.get(refOf(future))).toEqual({ outcome: 'absent' })
    const unserved = { ...ingress('i'), apiVersion: 'networking.k8s.io/v9' }
    expect(await writer.get(refOf(unserved))).toEqual({ outcome: 'absent' })
    await controlPlane.applyCrds(...crdFiles('traefik'))
    const held = { ...object, metadata: { ...object.metadata, finalizers: ['example.com/held'] } }
    expect(await writer.apply(held)).toMatchObject({ outcome: 'done' })
    await controlPlane.kubectl(['delete', 'crd', 'middlewares.traefik.io', '--wait=false'])
    const next = middleware('next')
    let answer = await writer.create(next)
    await until('the definition goes', async () => {
      if (answer.outcome === 'done') await writer.remove(refOf(next), uidOf(answer.object))
      answer = await writer.create(next)
      return answer.outcome !== 'done'
    })
    expect(answer).toEqual({ outcome: 'absent' })
  }, 120_000)

  test('a server that is away or starts is worth another try, and afterwards the same connection goes on', async () => {
    const object = await made(ingress('away'))
    const during: Written[] = []
    await controlPlane.restartApiServer(async () => {
      during.push(await writer.get(refOf(object)), await writer.apply(ingress('away')))
    })
    print(`server away: ${JSON.stringify(during)}`)
    for (const answer of during) expect(answer).toMatchObject({ outcome: 'later' })
    let answer = await writer.apply(ingress('away'))
    await until('it is applied again', async () => {
      if (answer.outcome === 'done') return true
      print(`server starting: ${JSON.stringify(answer)}`)
      expect(answer.outcome).toBe('later')
      answer = await writer.apply(ingress('away'))
      return false
    })
    expect(versionOf(objectOf(answer))).toBe(versionOf(object))
  }, 120_000)
})
