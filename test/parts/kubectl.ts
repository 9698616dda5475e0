// Runs kubectl against one API server and gives back what it said.
import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'

export type KubectlResult = { code: number; stdout: string; stderr: string }

export type KubectlTarget = {
  program: string
  kubeconfig: string
  /** kubectl remembers an API server by its address: a later one on the same port must not meet that memory. */
  cacheDir: string
}

export const runKubectl = async (
  target: KubectlTarget,
  args: readonly string[],
  input?: string,
  env: Readonly<Record<string, string>> = {},
): Promise<KubectlResult> => {
  const settings = { ...process.env, KUBECONFIG: target.kubeconfig, KUBECACHEDIR: target.cacheDir, ...env }
  const child = spawn(target.program, args, { env: settings, stdio: 'pipe' })
  const closed = new Promise<number>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => resolve(code ?? (signal ? 128 : 1)))
  })
  // kubectl may end, on a wrong argument for one, before it has read its input.
  child.stdin.on('error', () => {})
  child.stdin.end(input ?? '')
  const [code, stdout, stderr] = await Promise.all([closed, text(child.stdout), text(child.stderr)])
  return { code, stdout, stderr }
}
