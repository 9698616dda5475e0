// The trial: what is sent is refused whatever teams there are, and what comes back is never taken for more than it says.
import { expect, test } from '@jest/globals'
import { validate } from '../../../src/admission/validate.ts'
import { defaultConfig } from '../../../src/api/config.ts'
import { readTrial, trialIngress } from '../../../src/controller/probe/trial.ts'
import { FactStore } from '../../../src/facts/store.ts'
import { gateways } from '../../../src/gateways/index.ts'

const trial = trialIngress('portcullis')
const refused = (message: string) => ({ outcome: 'refused', status: 403, message }) as const
const later = (message: string) => ({ outcome: 'later', message }) as const

test('is refused for its label, with no team and whatever else is missing', () => {
  const store = new FactStore(defaultConfig())
  const request = {
    uid: 'u',
    operation: 'CREATE',
    subResource: '',
    namespace: 'portcullis',
    name: 'x',
    kind: 'Ingress',
  }
  const rest = { dryRun: true, user: 'u', object: trial, oldObject: undefined }
  const { outcome, reasons } = validate({ ...request, ...rest }, store, gateways, 0)
  expect(outcome).toBe('deny')
  expect(reasons[0]?.code).toBe('label-value')
})

test.each([
  ['judged', refused('admission webhook "validate.auth.example" denied the request: no [label-value]')],
  ['unjudged', { outcome: 'done', object: trial } as const],
  [
    'unjudged',
    later('Internal error occurred: failed calling webhook "validate.auth.example": x509: unknown authority'),
  ],
  ['unjudged', refused("ValidatingAdmissionPolicy 'injected.auth.example' with binding 'x' denied request: the route")],
  ['unknown', refused('admission webhook "policies.example.com" denied the request: no [label-value]')],
  ['unknown', refused('admission webhook "validate.auth.example" denied the request: something else')],
  ['unknown', later('failed calling webhook "policies.example.com"')],
  ['unknown', later('no answer within 15000 ms')],
  ['unknown', { outcome: 'nowhere' } as const],
])('says %s of %j', (result, written) => {
  expect(readTrial(written).result).toBe(result)
})
