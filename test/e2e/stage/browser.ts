// Chromium, which meets one gateway under every host of the stage and trusts its certificate alone.
import { createHash, X509Certificate } from 'node:crypto'
import { type Browser, chromium, type Page } from 'playwright-core'
import { programAt } from '../../parts/locate.ts'
import type { Stage } from './stage.ts'

export async function startBrowser(stage: Pick<Stage, 'gateway' | 'certificate' | 'domain'>): Promise<Browser> {
  const { gateway, certificate, domain } = stage
  const key = new X509Certificate(certificate).publicKey.export({ type: 'spki', format: 'der' })
  return chromium.launch({
    executablePath: programAt('chromium'),
    // Chromium refuses to run as root with it.
    chromiumSandbox: process.getuid?.() !== 0,
    args: [
      `--host-resolver-rules=MAP *.${domain} ${gateway.address}`,
      `--ignore-certificate-errors-spki-list=${createHash('sha256').update(key).digest('base64')}`,
      '--no-proxy-server',
    ],
  })
}

/** Opens the page, says who it is, and waits until it is back on the host that it asked for. */
export async function loginIn(page: Page, url: string, person: string): Promise<void> {
  const { host } = new URL(url)
  await page.goto(url)
  await page.click(`#${person}`)
  await page.waitForURL(there => there.host === host && !there.pathname.startsWith('/oauth2/'))
}

/** A window whose picture is small. */
export const PICTURE = { width: 720, height: 450 } as const

/** Puts the address above the page; takes it away without one. Runs in the page. */
const SHOW_ADDRESS = `address => {
  document.getElementById('address-of-the-page')?.remove()
  document.documentElement.style.paddingTop = address === undefined ? '' : '32px'
  if (address === undefined) return
  const bar = Object.assign(document.createElement('div'), { id: 'address-of-the-page', textContent: address })
  bar.style.cssText = 'position:fixed;inset:0 0 auto;padding:6px 12px;font:13px monospace;background:#dfe5ee;color:#111'
  document.documentElement.append(bar)
}`

/** With the address, which a picture of a page alone does not have. */
export async function picture(page: Page): Promise<Uint8Array> {
  await page.evaluate(`(${SHOW_ADDRESS})(${JSON.stringify(page.url())})`)
  const image = await page.screenshot({ type: 'jpeg', quality: 60 })
  await page.evaluate(`(${SHOW_ADDRESS})()`)
  return image
}
