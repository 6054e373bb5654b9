import { execFileSync } from "node:child_process";
import { mkdir, open, rm } from "node:fs/promises";
import { join } from "node:path";
import { messageOf } from "../../src/lib/error.ts";
import { until } from "../support/until.ts";

const BLOCK = Buffer.alloc(64 * 1024);

/** A disk of its own, so small that a test can fill it. */
export class SmallDisk {
  readonly folder: string;
  readonly #megabytes: number;

  constructor(folder: string, megabytes: number) {
    this.folder = folder;
    this.#megabytes = megabytes;
  }

  async mount(): Promise<void> {
    await mkdir(this.folder, { recursive: true });
    const options = `size=${this.#megabytes}m,mode=0755`;
    try {
      execFileSync("mount", ["-t", "tmpfs", "-o", options, "tmpfs", this.folder]);
    } catch (error) {
      throw new Error(
        `a disk to fill needs the right to mount one (root, CAP_SYS_ADMIN): ${messageOf(error)}`,
      );
    }
  }

  /** Leaves no room for another block. */
  async fill(): Promise<void> {
    const file = await open(join(this.folder, "filler"), "a");
    try {
      for (;;) await file.write(BLOCK);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
    } finally {
      await file.close();
    }
  }

  free(): Promise<void> {
    return rm(join(this.folder, "filler"), { force: true });
  }

  async unmount(): Promise<void> {
    await until(() => {
      execFileSync("umount", [this.folder], { stdio: "ignore" });
      return true;
    }, "the disk to be let go");
  }
}
