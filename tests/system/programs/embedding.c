/* A program with an interpreter inside, linked to its library: `embedding CODE` runs it. Declares
 * what it uses of the C API itself. */
extern void Py_Initialize(void);
extern int PyRun_SimpleStringFlags(const char *code, void *flags);
extern int Py_FinalizeEx(void);

int main(int argc, char **argv)
{
    if (argc < 2)
        return 2;
    Py_Initialize();
    const int failed = PyRun_SimpleStringFlags(argv[1], (void *)0) != 0;
    return Py_FinalizeEx() < 0 || failed;
}
