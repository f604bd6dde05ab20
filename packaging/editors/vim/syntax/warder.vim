" Vim syntax file
" Language: Warder policies (*.warder)
" Made by generate.py out of the language's own word lists: do not edit.

if exists("b:current_syntax")
  finish
endif

syn case match
" As the language has it: a hyphen, a dot, a colon or a slash does not end a word.
syn iskeyword @,48-57,_,-,.,:,/

syn match warderVariable "\<[A-Za-z][A-Za-z0-9_]*\%(-[A-Za-z0-9_]\+\)*\>"
syn match warderNumber "\<-\?\%(0x\x\+\|0o\o\+\|\d\+\)\>"
syn match warderNumber "\<\d\+-\d\+\>"
syn match warderNumber "\<\d\+\%(ms\|s\|m\|h\|d\)\>"
syn match warderNumber "\<\d\{4}-\d\d-\d\d\>"
syn match warderAddress "\<\d\{1,3}\%(\.\d\{1,3}\)\{3}\%(/\d\+\)\?\>"
syn match warderAddress "\<\x*:\x*:[0-9A-Fa-f:.]*\%(/\d\+\)\?"
syn match warderRule "\<\%(mandatory\|local\|vendor\)/[A-Za-z][A-Za-z0-9_]*\%(-[A-Za-z0-9_]\+\)*\.[A-Za-z][A-Za-z0-9_]*\%(-[A-Za-z0-9_]\+\)*\>"
syn match warderAttribute "\<arg\.\%([A-Za-z][A-Za-z0-9_]*\%(-[A-Za-z0-9_]\+\)*\)\?"
syn match warderOperator "[<>]=\?\|="

syn keyword warderStatement applies mode override session given
syn keyword warderStatement policy test nextgroup=warderName skipwhite skipempty
syn keyword warderStatement set nextgroup=warderSet skipwhite skipempty
syn keyword warderStatement default expect nextgroup=warderEffect skipwhite skipempty
syn keyword warderStatement floor limit nextgroup=warderClass,warderAll skipwhite skipempty
syn keyword warderEffect allow deny nextgroup=warderClass,warderAll,warderEvent skipwhite skipempty
syn keyword warderEffect kill log nextgroup=warderClass,warderAll,warderEvent skipwhite skipempty
syn keyword warderEffect would-deny nextgroup=warderClass,warderAll,warderEvent skipwhite skipempty
syn keyword warderClause where message required reason until to per resolves
syn keyword warderClause as nextgroup=warderName skipwhite skipempty
syn keyword warderClause by nextgroup=warderDecider skipwhite skipempty
syn keyword warderOperator and or not is in under matches starts has
syn keyword warderConstant true false none absent unknown all enforce observe linux windows
syn keyword warderPlace session.python session.venv session.home session.start session.temp
syn keyword warderPlace session.null
syn keyword warderAttribute file argv cwd env shell interpreter target pid signal action path
syn keyword warderAttribute address port host family kind protocol module name symbol request how
syn keyword warderAttribute arg user group script exe unit platform python
syn keyword warderAttribute label nextgroup=warderLabel skipwhite skipempty
syn keyword warderAttribute event
" Where classes are listed, `signal` is a class and no attribute; elsewhere no class stands.
syn keyword warderClass exec fork signal read contained nextgroup=warderComma skipwhite skipempty
syn keyword warderClass write connect bind contained nextgroup=warderComma skipwhite skipempty
syn keyword warderClass socket resolve import contained nextgroup=warderComma skipwhite skipempty
syn keyword warderClass native ffi code pickle contained nextgroup=warderComma skipwhite skipempty
syn keyword warderClass introspect hook run contained nextgroup=warderComma skipwhite skipempty
syn keyword warderClass environ control thread contained nextgroup=warderComma skipwhite skipempty
syn keyword warderClass registry other contained nextgroup=warderComma skipwhite skipempty
syn keyword warderAll all contained
syn keyword warderEvent event contained
syn match warderComma "," contained nextgroup=warderClass skipwhite skipempty
syn match warderName "[A-Za-z][A-Za-z0-9_]*\%(-[A-Za-z0-9_]\+\)*" contained
syn match warderSet "[A-Za-z][A-Za-z0-9_]*\%(-[A-Za-z0-9_]\+\)*" contained
syn match warderLabel "[A-Za-z][A-Za-z0-9_]*\%(-[A-Za-z0-9_]\+\)*" contained
syn match warderDecider "[A-Za-z][A-Za-z0-9_]*\%(-[A-Za-z0-9_]\+\)*\%(\.[A-Za-z][A-Za-z0-9_]*\%(-[A-Za-z0-9_]\+\)*\)*" contained

syn region warderString start=+"+ skip=+\\.+ end=+"+ oneline contains=warderEscape
syn match warderEscape "\\\%([\\\"ntr]\|x\x\x\|u{\x\{1,6}}\)" contained
syn region warderString start=+'+ end=+'+ oneline
syn match warderComment "#.*$" contains=@Spell

hi def link warderStatement Statement
hi def link warderEffect Keyword
hi def link warderClause Keyword
hi def link warderEvent Keyword
hi def link warderOperator Operator
hi def link warderConstant Constant
hi def link warderAll Constant
hi def link warderPlace Constant
hi def link warderAttribute Identifier
hi def link warderClass Type
hi def link warderVariable Normal
hi def link warderSet Normal
hi def link warderName Function
hi def link warderDecider Function
hi def link warderRule Function
hi def link warderLabel Identifier
hi def link warderNumber Number
hi def link warderAddress Number
hi def link warderString String
hi def link warderEscape SpecialChar
hi def link warderComment Comment

let b:current_syntax = "warder"
