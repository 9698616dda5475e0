// What becomes of the processes that tests start.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { startPart } from './process.ts'

let dir: string

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'portcullis-process-'))
})

afterEach(() => rmSync(dir, { recursive: true }))

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    // An orphan may stay a zombie for good: not every first process of a container reaps what it inherits.
    const status = `/proc/${pid}/status`
    return !existsSync(status) || !/^State:\s+Z/m.test(readFileSync(status, 'utf8'))
  } catch {
    return false
  }
}

const shell = (script: string) => ({ name: 'part', command: '/bin/sh', args: ['-c', script], dir })

test('a process is handed over when its probe succeeds, and is gone after stop', async () => {
  const ready = async () => existsSync(join(dir, 'up'))
  const part = await startPart({ ...shell('echo starting; touch up; exec sleep 600'), ready })
  expect(isAlive(part.pid)).toBe(true)
  expect(readFileSync(part.log, 'utf8')).toBe('starting\n')
  await part.stop()
  expect(isAlive(part.pid)).toBe(false)
  expect(part.hasEnded()).toBe(true)
})

test('a process that ends before it is ready is an error with the end of its log', async () => {
  const starting = startPart({ ...shell('echo cannot bind >&2; exit 7'), ready: async () => false })
  await expect(starting).rejects.toThrow(/^part ended with 7 before it was ready.*\ncannot bind$/s)
})

test('a process that is never ready is ended', async () => {
  const script = 'echo $$; exec sleep 600'
  const starting = startPart({ ...shell(script), ready: () => Promise.reject(new Error('no')), readyWithinMs: 300 })
  await expect(starting).rejects.toThrow('part was not ready after 300 ms')
  expect(isAlive(Number(readFileSync(join(dir, 'part.log'), 'utf8')))).toBe(false)
})

test('a program that does not exist is an error', async () => {
  const starting = startPart({ ...shell(''), command: join(dir, 'nothing'), ready: async () => true })
  await expect(starting).rejects.toThrow('ENOENT')
})

test('a process ends when the one that started it is killed', async () => {
  const script = `
    import { startPart } from ${JSON.stringify(join(import.meta.dirname, 'process.ts'))}
    const options = { name: 'part', command: '/bin/sleep', args: ['600'], dir: ${JSON.stringify(dir)} }
    const part = await startPart({ ...options, ready: async () => true })
    console.log(part.pid)
    setInterval(() => {}, 1000)`
  const starter = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = await once(starter.stdout, 'data')
  const pid = Number(line)
  expect(isAlive(pid)).toBe(true)
  starter.kill('SIGKILL')
  for (let look = 0; look < 200 && isAlive(pid); look++) await sleep(20)
  const outlived = isAlive(pid)
  if (outlived) process.kill(pid)
  expect(outlived).toBe(false)
})
