// The policies name the kinds, users and labels that the code has.
import { beforeAll, describe, expect, test } from '@jest/globals'
import { defaultConfig } from '../../src/api/config.ts'
import { array, object } from '../../src/core/json.ts'
import { ACME_SOLVER, INJECTED, MANAGED_BY, MANAGER, PROTECT } from '../../src/core/keys.ts'
import { writeRecord } from '../../src/core/record.ts'
import type { Companion, KubeObject } from '../../src/core/types.ts'
import { entries, hasFile, kustomization, ofKind, one, type Rule, text } from './documents.ts'
import { madeCompanions } from './made-companions.ts'
import { plural } from './plural.ts'

const policy = (name: string) => one('ValidatingAdmissionPolicy', `${name}.auth.example`)
const rulesOf = (name: string) => array(object(object(policy(name).spec).matchConstraints).resourceRules) as Rule[]
const resourcesOf = (name: string) =>
  rulesOf(name).flatMap(rule => rule.resources.map(resource => `${resource}.${rule.apiGroups}`))
const expressions = (of: KubeObject) => JSON.stringify(of.spec)

describe('the policies', () => {
  let made: readonly Companion[]
  beforeAll(async () => {
    made = await madeCompanions()
  })

  test('keep hands off every kind of companion that a gateway makes', () => {
    const kinds = new Set(made.map(({ object }) => `${plural(object.kind)}.${object.apiVersion.split('/')[0]}`))
    expect(kinds.size).toBeGreaterThan(5)
    expect(
      resourcesOf('companions')
        .filter(each => !each.includes('/'))
        .sort(),
    ).toEqual([...kinds].sort())
    for (const rule of rulesOf('companions')) expect(rule.operations).toEqual(['CREATE', 'UPDATE', 'DELETE'])
  })

  test('know companions by the label that they carry', () => {
    const selector = object(object(object(policy('companions').spec).matchConstraints).objectSelector)
    expect(selector).toEqual({ matchLabels: { [MANAGED_BY]: MANAGER } })
    for (const { object: each } of made) expect(object(each.metadata.labels)).toMatchObject({ [MANAGED_BY]: MANAGER })
    expect(expressions(policy('hosts'))).toContain(`'${MANAGED_BY}'].orValue('') == '${MANAGER}'`)
  })

  test('let the controller write, in our own namespace', () => {
    const user = `'system:serviceaccount:${defaultConfig().namespace}:portcullis-controller'`
    expect(expressions(policy('companions'))).toContain(user)
  })

  test('let the user answer certificate challenges whom the configuration names by default', () => {
    expect(expressions(policy('hosts'))).toContain(`== '${defaultConfig().solver}'`)
    expect(expressions(policy('hosts'))).toContain(`'${ACME_SOLVER}'`)
  })

  test('know a protected route by the keys and the record that are written into it', () => {
    const record = writeRecord({ format: 1, gateway: 'traefik', team: 'a', set: {}, was: {} })
    const says = object(
      array(object(policy('injected').spec).variables).find(each => object(each).name === 'byTraefik'),
    )
    const [, part] = /contains\('(.*)'\)/.exec(String(says.expression)) ?? []
    expect(record).toContain(part)
    expect(expressions(policy('injected'))).toContain(`'${INJECTED}'`)
    expect(expressions(policy('injected'))).toContain(`'${PROTECT}'`)
  })

  test('step back only for an entry of the webhook that there is', () => {
    const [, name] = /w\.name == '([^']+)'/.exec(expressions(policy('injected'))) ?? []
    expect(entries.map(each => each.name)).toContain(name)
    const bindings = ofKind('ValidatingAdmissionPolicyBinding').map(each => object(each.spec))
    const params = bindings
      .filter(each => each.policyName === 'injected.auth.example')
      .map(each => object(each.paramRef))
    for (const { name } of params) one('ValidatingWebhookConfiguration', String(name))
    expect(params).toHaveLength(2)
  })

  test('are bound, each of them', () => {
    const bound = ofKind('ValidatingAdmissionPolicyBinding').map(each => object(each.spec))
    for (const { metadata } of ofKind('ValidatingAdmissionPolicy')) {
      expect(bound).toContainEqual(expect.objectContaining({ policyName: metadata.name, validationActions: ['Deny'] }))
    }
  })

  test('say in one line what to do', () => {
    for (const { spec } of ofKind('ValidatingAdmissionPolicy')) {
      for (const { message } of array(object(spec).validations).map(object)) expect(message).toMatch(/^[^\n]+; [^\n]+$/)
    }
  })

  test('are shipped, as every other file of the folders', () => {
    for (const file of array(kustomization.resources).map(String)) {
      expect(hasFile(file)).toBe(true)
      // Says what it is for in its first line.
      expect(text(file)).toMatch(/^# .{20,}/)
    }
  })
})
