" Made by generate.py: do not edit.
autocmd BufNewFile,BufRead *.warder setfiletype warder
