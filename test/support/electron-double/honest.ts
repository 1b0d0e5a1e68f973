// Compile-time check of the double: every module it offers exists in Electron, and so does every member the app uses of it.
import type * as Electron from 'electron'
import type * as Double from './main-process'

/** Members of the double that are its own business and have no counterpart in Electron. */
type OwnBusiness = 'dropPath' | 'cdp' | 'sessionId' | 'contextId' | 'openHandler' | 'post' | 'flush' | 'receive'

/** Names that the double offers and Electron does not have: must be `never`. */
type Invented<D, E> = Exclude<keyof D, keyof E | OwnBusiness>

type Check<T extends never> = T

export type ModulesExist = Check<Exclude<keyof typeof Double, keyof typeof Electron>>
export type AppMembersExist = Check<Invented<typeof Double.app, Electron.App>>
export type IpcMembersExist = Check<Invented<typeof Double.ipcMain, Electron.IpcMain>>
export type ProtocolMembersExist = Check<Invented<typeof Double.protocol, Electron.Protocol>>
export type ShellMembersExist = Check<Invented<typeof Double.shell, Electron.Shell>>
export type DialogMembersExist = Check<Invented<typeof Double.dialog, Electron.Dialog>>
export type ThemeMembersExist = Check<Invented<typeof Double.nativeTheme, Electron.NativeTheme>>
export type UtilityMembersExist = Check<Invented<typeof Double.utilityProcess, typeof Electron.utilityProcess>>
export type WindowMembersExist = Check<Invented<InstanceType<typeof Double.BrowserWindow>, Electron.BrowserWindow>>
export type WebContentsMembersExist = Check<Invented<InstanceType<typeof Double.BrowserWindow>['webContents'], Electron.WebContents>>
