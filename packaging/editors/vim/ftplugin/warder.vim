" Vim filetype plugin
" Language: Warder policies (*.warder)
" Made by generate.py: do not edit.

if exists("b:did_ftplugin")
  finish
endif
let b:did_ftplugin = 1

setlocal comments=:# commentstring=#\ %s formatoptions-=t formatoptions+=croql
setlocal expandtab shiftwidth=4 softtabstop=4 textwidth=100
" The whole file through `gggqG`; a part of one is no policy file.
if executable("warder")
  setlocal formatprg=warder\ fmt\ -
endif

let b:undo_ftplugin = "setlocal comments< commentstring< formatoptions< expandtab< shiftwidth<"
      \ . " softtabstop< textwidth< formatprg<"
