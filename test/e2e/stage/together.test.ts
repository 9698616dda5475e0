// Work side by side ends as a whole, also where a part of it fails.
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from '@jest/globals'
import { together } from './together.ts'

test('gives what each has come to, in order', async () => {
  expect(await together(sleep(10, 'slow'), sleep(1, 2))).toEqual(['slow', 2])
})

test('fails with the first that has failed, and not before all have ended', async () => {
  const ended: string[] = []
  const failing = Promise.reject(new Error('no room'))
  const works = together(
    failing,
    sleep(20).then(() => ended.push('slow')),
  )
  await expect(works).rejects.toThrow('no room')
  expect(ended).toEqual(['slow'])
})
