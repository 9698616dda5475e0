// The label on an object as it was made by hand, with what made it a login still in it.
import { expect, test } from '@jest/globals'
import type { KubeObject } from '../../../src/core/types.ts'
import { until } from '../../integration/api.ts'
import { selector, stored, succeeds } from '../../integration/objects.ts'
import { type Client, clientOf } from '../stage/client.ts'
import type { Stage } from '../stage/stage.ts'
import { asItWas } from './promises.ts'
import { placeOf } from './setup.ts'

const DEEP_LINK = '/d/x?a=1&b=2&q=a%26b'

export function testTakenOver(stage: () => Stage, byHand: KubeObject, prepare?: () => Promise<void>): void {
  test('with the label beside it the way back is exact; without, the object is as it was made by hand', async () => {
    await prepare?.()
    const { controlPlane } = stage().cluster
    const label = (value: string) =>
      succeeds(controlPlane, ['label', ...selector(byHand), `auth.example/protect${value}`])
    const { url } = placeOf(byHand)
    const before = await stored(controlPlane, [byHand])
    await label('=true')
    await until('a login leads there', async () => (await login(stage(), url(DEEP_LINK))) === DEEP_LINK)
    await label('-')
    expect((await stored(controlPlane, [byHand])).map(asItWas)).toEqual(before.map(asItWas))
  }, 60_000)
}

/** What the application is asked for in the end. */
async function login(stage: Stage, url: string): Promise<string | undefined> {
  const client: Client = clientOf(stage)
  const got = await client.login(url, 'alice')
  client.close()
  return got.url === url ? got.reached?.url : undefined
}
