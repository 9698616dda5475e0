// The reference setups with the webhook that reads its facts from files.
import { expect, test } from '@jest/globals'
import { describeSetups } from './reference-setups.ts'
import { setupsIn } from './setups.ts'
import { prepareWebhook } from './webhook.ts'

const setups = setupsIn('reference-setups')

test('there are reference setups', () => expect(setups.length).toBeGreaterThanOrEqual(5))

describeSetups('kubectl on a labelled route', setups, prepareWebhook)
