// `portcullis crds`: prints the CustomResourceDefinitions, or writes them to a folder.
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { customResourceDefinitionFiles } from '../api/crd.ts'

export async function crds({ write }: { write?: string }, out: (text: string) => void): Promise<number> {
  const files = customResourceDefinitionFiles()
  if (write === undefined) {
    out([...files.values()].join('---\n'))
    return 0
  }
  await mkdir(write, { recursive: true })
  for (const [name, text] of files) {
    await writeFile(join(write, name), text)
    out(`${join(write, name)}\n`)
  }
  return 0
}
