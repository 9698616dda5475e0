import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'

const LOG = join(import.meta.dirname, '../../src/log.ts')
/** Logs for a while, so that it meets what it writes to more than once, and ends by itself. */
const LOGS = `
import { setTimeout as sleep } from 'node:timers/promises'
const { createLog } = await import(${JSON.stringify(LOG)})
const log = createLog({ level: 'info' })
for (let turn = 0; turn < 5; turn++) {
  log.info({ turn }, 'a line')
  await sleep(150)
}
log.info({}, 'the last line')
process.stderr.write('it has gone on')
`
const ENDS_WITHIN_MS = 15_000

/** `closing`: what it writes to is closed at once. */
async function logTo(out: 'pipe' | number, closing = false) {
  const child = spawn(process.execPath, ['--input-type=module', '-e', LOGS], { stdio: ['ignore', out, 'pipe'] })
  const said = { out: '', err: '' }
  if (closing) child.stdout?.destroy()
  else child.stdout?.on('data', chunk => (said.out += chunk))
  child.stderr?.on('data', chunk => (said.err += chunk))
  const late = setTimeout(() => child.kill('SIGKILL'), ENDS_WITHIN_MS)
  const [code] = await once(child, 'close')
  clearTimeout(late)
  return { code, ...said }
}

describe('a process that logs', () => {
  test('has said everything, in order, when it ends', async () => {
    const { code, out } = await logTo('pipe')
    const lines = out
      .trim()
      .split('\n')
      .map(line => JSON.parse(line))
    expect(code).toBe(0)
    expect(lines.map(({ turn, msg }) => turn ?? msg)).toEqual([0, 1, 2, 3, 4, 'the last line'])
  })

  test('goes on and ends when the disk that it writes to is full', async () => {
    const full = openSync('/dev/full', 'w')
    expect(await logTo(full)).toMatchObject({ code: 0, err: 'it has gone on' })
    closeSync(full)
  })

  test('goes on and ends when nobody reads any more', async () => {
    expect(await logTo('pipe', true)).toMatchObject({ code: 0, err: 'it has gone on' })
  })
})
