// The demo as a newcomer meets it: what it prints works, and it leaves nothing running.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { until } from '../integration/api.ts'
import { runKubectl } from '../parts/kubectl.ts'
import { programAt } from '../parts/locate.ts'
import { describeWithParts } from '../parts/require.ts'
import { leaveStage } from './report/evidence.ts'
import { loadBalancerAddress } from './stage/addresses.ts'
import { stageParts } from './stage/stage.ts'

describeWithParts('npm run demo -- --gateway traefik', stageParts.traefik, () => {
  let demo: ChildProcess
  let said = ''
  const shell = (command: string) => {
    const [program = '', ...args] = command.trim().split(/\s+/)
    const kubeconfig = /KUBECONFIG=(\S+)/.exec(said)?.[1] ?? ''
    expect(program).toBe('kubectl')
    return runKubectl({ program: programAt('kubectl'), kubeconfig, cacheDir: join(kubeconfig, '../cache') }, args)
  }
  const printed = (pattern: RegExp) => pattern.exec(said.replaceAll(/ +#.*/g, ''))?.[0] ?? 'nothing'

  beforeAll(async () => {
    const options = ['--gateway', 'traefik', '--address', loadBalancerAddress(), '--domain', 'demo.test']
    demo = spawn(process.execPath, [join(import.meta.dirname, 'demo.ts'), ...options], { stdio: 'pipe' })
    for (const stream of [demo.stdout, demo.stderr]) stream?.on('data', (data: Buffer) => (said += data.toString()))
    const started = performance.now()
    while (!said.includes('cart.team-b.demo.test/') || !said.includes('open: 200')) {
      if (demo.exitCode !== null || performance.now() - started > 300_000) throw new Error(said)
      await new Promise(resolve => setTimeout(resolve, 200))
    }
    leaveStage('traefik', stageParts.traefik, (performance.now() - started) / 1000)
  }, 400_000)

  afterAll(() => {
    demo?.kill('SIGKILL')
  })

  test('says what is started and how long it took', () => {
    expect(said).toMatch(/✓ etcd, kube-apiserver +\d+\.\d s/)
    expect(said).toMatch(/✓ Traefik +\d+\.\d s/)
  })

  test('the label that it prints closes the application, and what it meets without a session is said', async () => {
    expect(await shell(printed(/kubectl label .*protect=true/))).toMatchObject({ code: 0 })
    await until('it says closed', async () => /prometheus\S+ +closed: 302, to the login of team-a/.test(said))
  }, 60_000)

  test('the command that it prints for the end of that opens it again', async () => {
    expect(await shell(printed(/kubectl label .*protect-/))).toMatchObject({ code: 0 })
    await until('it says open again', async () => /closed: 302.*prometheus\S+ +open: 200/s.test(said))
  }, 60_000)

  test('an interrupt takes everything down, and leaves the logs', async () => {
    const logs = /Logs are in (\S+)\./.exec(said)?.[1] ?? ''
    demo.kill('SIGINT')
    await once(demo, 'exit')
    expect(demo.exitCode).toBe(0)
    expect(readFileSync(join(logs, 'traefik.log'), 'utf8')).not.toBe('')
    expect(readdirSync(join(logs, '..'))).toEqual(['logs'])
    expect(commandsWith(join(logs, '..'))).toEqual([])
  }, 60_000)
})

describeWithParts('npm run demo in a terminal', stageParts.traefik, () => {
  test('Ctrl-C while it starts leaves nothing but logs', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'demo-'))
    const command = `${process.execPath} ${join(import.meta.dirname, 'demo.ts')} --gateway traefik --address ${loadBalancerAddress()}`
    // A terminal tells whatever runs in it, not the demo alone.
    const terminal = spawn('script', ['-qec', command, '/dev/null'], { env: { ...process.env, TMPDIR: folder } })
    let said = ''
    terminal.stdout.on('data', (data: Buffer) => (said += data.toString()))
    const ended = once(terminal, 'exit')
    await until('an API server is there', async () => said.includes('✓ etcd, kube-apiserver'))
    expect(commandsWith(folder)).not.toEqual([])
    terminal.stdin.write('\u0003')
    await ended
    expect(said).toContain('Interrupted')
    expect(commandsWith(folder)).toEqual([])
    expect(
      readdirSync(folder, { recursive: true }).filter(each => !/^portcullis-stage-\w+(\/logs.*)?$/.test(String(each))),
    ).toEqual([])
  }, 120_000)
})

function commandsWith(text: string): string[] {
  return readdirSync('/proc')
    .filter(pid => /^\d+$/.test(pid))
    .map(commandOf)
    .filter(command => command.includes(text))
}

function commandOf(pid: string): string {
  const file = join('/proc', pid, 'cmdline')
  return existsSync(file) ? readFileSync(file, 'utf8').replaceAll('\0', ' ') : ''
}
